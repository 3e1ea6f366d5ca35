/** Derived fields of a Loki datasource: parts of a line, or labels, that lead somewhere, most often to a trace. */
import { safeUrl } from './links';
import type { LogRow } from './logs';
import type { ResolvedLink } from './dataLinks';

/** As `jsonData.derivedFields` has them. */
export interface DerivedField {
  name?: string;
  /** A regular expression over the line, its first group the value; with `matcherType: label`, over the labels' names. */
  matcherRegex?: string;
  matcherType?: string;
  /** Holds `${__value.raw}`; with `datasourceUid`, the query there. */
  url?: string;
  datasourceUid?: string;
  urlDisplayLabel?: string;
}

export interface DerivedValue {
  name: string;
  value: string;
  link?: ResolvedLink;
}

export function derivedValues(row: LogRow, fields: readonly DerivedField[]): DerivedValue[] {
  return fields.flatMap((field) => {
    const value = valueOf(row, field);
    return value === undefined ? [] : [{ name: field.name || 'Derived', value, link: linkOf(field, value) }];
  });
}

function valueOf(row: LogRow, field: DerivedField): string | undefined {
  const regex = compiled(field.matcherRegex);
  if (!regex) return undefined;
  if (field.matcherType === 'label') return Object.entries(row.labels).find(([name]) => regex.test(name))?.[1];
  const match = regex.exec(row.line);
  return match ? (match[1] ?? match[0]) : undefined;
}

/** Found anywhere in the line; undefined where it does not compile. */
function compiled(pattern: string | undefined): RegExp | undefined {
  if (!pattern) return undefined;
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

function linkOf(field: DerivedField, value: string): ResolvedLink | undefined {
  const fill = (pattern: string) => pattern.replace(/\$\{__value(\.raw|\.text)?(:\w+)?\}|\$__value\.raw/g, encodeURIComponent(value));
  if (field.datasourceUid) {
    const query = field.url ? fill(field.url) : encodeURIComponent(value);
    return { title: field.urlDisplayLabel || `Open ${field.name || 'it'}`, url: `/explore?datasource=${encodeURIComponent(field.datasourceUid)}&expr=${query}`, blank: false };
  }
  const url = field.url ? safeUrl(fill(field.url)) : undefined;
  return url ? { title: field.urlDisplayLabel || `Open ${field.name || 'it'}`, url, blank: true } : undefined;
}
