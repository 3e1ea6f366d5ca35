/** Which rows of a table are shown, in which order, and how high they are. */
import type { Frame } from '../../core/frames';
import type { Column } from './columns';

export interface Sort {
  column: string;
  desc: boolean;
}

/** By column name; both must hold. */
export interface ColumnFilter {
  /** Part of the shown text. */
  text?: string;
  /** Shown texts; absent: all. */
  values?: ReadonlySet<string>;
}

export type Filters = Readonly<Record<string, ColumnFilter>>;

const texts = new Intl.Collator('en', { numeric: true });
const bare = (v: any) => (v?.fields ? v.value : v);
const absent = (v: unknown) => v === null || v === undefined;

/** Indexes of the rows that pass the filters, in order of the first sort, then the next; absent values last. */
export function sortRows(frame: Frame, columns: readonly Column[], sorts: readonly Sort[], filters: Filters): number[] {
  let rows = Array.from({ length: frame.length }, (_, i) => i);
  for (const column of columns) {
    const { text, values } = filters[column.name] ?? {};
    const wanted = text?.toLowerCase();
    if (wanted) rows = rows.filter((r) => column.display.text(column.field.values[r]).toLowerCase().includes(wanted));
    if (values) rows = rows.filter((r) => values.has(column.display.text(column.field.values[r])));
  }
  const by = sorts.flatMap((s) => {
    const column = columns.find((c) => c.name === s.column);
    return column ? [{ values: column.field.values, sign: s.desc ? -1 : 1 }] : [];
  });
  if (!by.length) return rows;
  return rows.sort((x, y) => {
    for (const { values, sign } of by) {
      const order = compare(bare(values[x]), bare(values[y]), sign);
      if (order) return order;
    }
    return x - y;
  });
}

function compare(a: unknown, b: unknown, sign: number): number {
  if (a === b) return 0;
  if (absent(a) || absent(b)) return Number(absent(a)) - Number(absent(b));
  return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : texts.compare(String(a), String(b)));
}

/** The different texts of a column, sorted; the first few hundred. */
export function distinctTexts(column: Column, most = 300): string[] {
  const found = new Set<string>();
  for (const v of column.field.values) {
    found.add(column.display.text(v));
    if (found.size >= most) break;
  }
  return [...found].sort(texts.compare);
}

const CHAR_PX = 6.7;
const LINE_PX = 17;
const MOST_LINES = 20;

/** Tops of the rows, px, and at the end the whole height; undefined where all are as high as `rowPx`. `mostPx`: no row is higher, what does not fit is cut. */
export function rowTops(rows: readonly number[], columns: readonly Column[], rowPx: number, mostPx = Infinity): Float64Array | undefined {
  const wrapped = columns.filter((c) => c.wrap);
  if (!wrapped.length) return undefined;
  const tops = new Float64Array(rows.length + 1);
  rows.forEach((row, i) => {
    const lines = Math.max(1, ...wrapped.map((c) => lineCount(c.display.text(c.field.values[row]), Math.max(4, (c.width - 16) / CHAR_PX))));
    tops[i + 1] = tops[i] + Math.max(rowPx, Math.min(mostPx, Math.min(MOST_LINES, lines) * LINE_PX + 10));
  });
  return tops;
}

function lineCount(text: string, perLine: number): number {
  let lines = 0;
  for (const part of text.split('\n')) lines += Math.max(1, Math.ceil(part.length / perLine));
  return lines;
}

/** The row at a height, by its place. */
export function rowAt(y: number, count: number, rowPx: number, tops: Float64Array | undefined): number {
  if (!tops) return Math.min(count, Math.max(0, Math.floor(y / rowPx)));
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1] <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}
