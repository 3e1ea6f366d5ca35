/** Links of a field for one of its values: variables, `${__value.raw}`, `${__data.fields.x}`, `${__field.labels.x}`. */
import { displayName } from './displayName';
import type { Field, Frame } from './frames';
import { interpolate, type Scope } from './interpolate';
import { safeUrl } from './links';

export interface ResolvedLink {
  title: string;
  url: string;
  blank: boolean;
}

export function cellLinks(field: Field, frame: Frame, row: number, text: string, scope: Scope): ResolvedLink[] {
  return (field.config.links ?? []).flatMap((link) => {
    const url = safeUrl(fill(String(link.url ?? ''), field, frame, row, text, scope, encodeURIComponent));
    return url ? [{ title: fill(String(link.title ?? ''), field, frame, row, text, scope, (s) => s), url, blank: link.targetBlank === true }] : [];
  });
}

function fill(pattern: string, field: Field, frame: Frame, row: number, text: string, scope: Scope, encode: (s: string) => string): string {
  const dataField = (path: string): string | undefined => {
    const match = /^(?:\.([\w ]+)|\[["']?(.+?)["']?\])/.exec(path);
    const name = match?.[1]?.trim() ?? match?.[2];
    const found = name === undefined ? undefined : (frame.fields.find((f) => displayName(f, frame) === name || f.name === name) ?? frame.fields[Number(name)]);
    return found ? String(found.values[row] ?? '') : undefined;
  };
  const filled = pattern.replace(/\$\{__(value|field|series|data)\.?([^}]*)\}/g, (whole, kind: string, path: string) => {
    if (kind === 'value') return encode(path.startsWith('text') ? text : path.startsWith('time') ? String(frame.fields.find((f) => f.type === 'time')?.values[row] ?? '') : String(field.values[row] ?? ''));
    if (kind === 'data') return encode(dataField(path.replace(/^fields/, '')) ?? '');
    if (path === 'name') return encode(displayName(field, frame));
    const label = /^labels(?:\.(.+)|\[["']?(.+?)["']?\])$/.exec(path);
    return label ? encode(field.labels?.[label[1] ?? label[2]] ?? '') : whole;
  });
  return fillUrl(filled, scope, 'percentencode');
}

/** Range, variables, `${__url_time_range}` and `${__all_variables}` of an address. */
export function fillUrl(pattern: string, scope: Scope, format = 'uriencode'): string {
  const range = () => `from=${String(scope.get('__from')?.value ?? '')}&to=${String(scope.get('__to')?.value ?? '')}`;
  return interpolate(pattern.replace(/\$(__url_time_range\b|\{__url_time_range\})/g, range).replace(/\$(__all_variables\b|\{__all_variables\})/g, () => allVariables(scope)), scope, format);
}

function allVariables(scope: Scope): string {
  return [...scope].filter(([name]) => !name.startsWith('__') && name !== 'timezone' && name !== 'interval').map(([name]) => interpolate(`\${${name}:queryparam}`, scope)).join('&');
}
