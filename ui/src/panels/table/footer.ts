/** The rows below a table: calculations over what the filters leave. */
import { calculation } from '../../core/reduce';
import type { Column } from './columns';

interface FooterOptions {
  show?: boolean;
  reducer?: string | string[];
  reducers?: string[];
  /** With the calculation `count`: the number of rows, in the first column. */
  countRows?: boolean;
  fields?: string | string[];
}

/** One list of texts a row of the footer, one text a column. */
export function footerRows(columns: readonly Column[], rows: readonly number[], options: FooterOptions | undefined): string[][] {
  const own = columns.some((c) => c.footer.length);
  if (!columns.length || (!own && !options?.show)) return [];
  const shared = [options?.reducer ?? options?.reducers ?? []].flat();
  if (!own && options?.countRows && shared.includes('count')) return [columns.length === 1 ? [`Count ${rows.length}`] : columns.map((_, i) => ['Count', String(rows.length)][i] ?? '')];
  const ids = own ? [...new Set(columns.flatMap((c) => c.footer))] : shared.length ? shared : ['sum'];
  const wanted = options?.fields?.length ? [options.fields].flat() : undefined;
  return ids.flatMap((id): string[][] => {
    const calc = calculation(id);
    if (!calc) return [];
    return [columns.map((column, i) => {
      const counts = own ? column.footer.includes(id) : column.field.type === 'number' && (!wanted || wanted.includes(column.name) || wanted.includes(column.field.name));
      if (!counts) return i === 0 ? calc.name : '';
      const value = calc.of(rows.map((r) => column.field.values[r]), column.field.type);
      return calc.sameUnit ? column.display.text(value) : String(value ?? '');
    })];
  });
}
