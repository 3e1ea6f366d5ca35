/** `$name`, `${name:format}`, `[[name]]` in queries, titles and links. Built-in names (`__interval`, ...) are ordinary entries of the scope. */

export type VariableValue = string | readonly string[];

export interface ScopeEntry {
  value: VariableValue;
  /** What a title shows; for instance `All`. */
  text?: VariableValue;
  /** Written as it is, in no format: what `allValue` asks for. */
  verbatim?: boolean;
  /** What `${name.field}` stands for. */
  fields?: Readonly<Record<string, string>>;
}

export type Scope = ReadonlyMap<string, ScopeEntry>;

/** How a list becomes text where the reference names no format. */
export type DefaultFormat = string | ((value: VariableValue, multi: boolean) => string);

const REFERENCE = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g;

const list = (value: VariableValue): readonly string[] => (Array.isArray(value) ? value : [value as string]);
const escapeRegex = (s: string) => s.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
const encode = (s: string) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const FORMATS: Record<string, (values: readonly string[], name: string, args: string[]) => string> = {
  csv: (v) => v.join(','),
  raw: (v) => v.join(','),
  pipe: (v) => v.join('|'),
  regex: (v) => (v.length === 1 ? escapeRegex(v[0]) : `(${v.map(escapeRegex).join('|')})`),
  glob: (v) => (v.length === 1 ? v[0] : `{${v.join(',')}}`),
  json: (v) => JSON.stringify(v.length === 1 ? v[0] : v),
  distributed: (v, name) => v.map((x, i) => (i ? `${name}=${x}` : x)).join(','),
  lucene: (v) => {
    const quote = (x: string) => x.replace(/[!*+\-=<>\s&|()[\]{}^~?:\\/"]/g, '\\$&');
    return v.length === 1 ? quote(v[0]) : `(${v.map((x) => `"${quote(x)}"`).join(' OR ')})`;
  },
  singlequote: (v) => v.map((x) => `'${x.replace(/'/g, "\\'")}'`).join(','),
  doublequote: (v) => v.map((x) => `"${x.replace(/"/g, '\\"')}"`).join(','),
  sqlstring: (v) => v.map((x) => `'${x.replace(/'/g, "''")}'`).join(','),
  percentencode: (v) => encode(v.length === 1 ? v[0] : `{${v.join(',')}}`),
  uriencode: (v) => encodeURI(v.join(',')),
  queryparam: (v, name) => v.map((x) => `var-${encode(name)}=${encode(x)}`).join('&'),
  date: (v, _name, args) => formatDate(Number(v[0]), args.join(':')),
  join: (v, _name, args) => v.join(args[0] ?? ','),
};

function formatDate(ms: number, format: string): string {
  if (format === 'seconds') return String(Math.round(ms / 1000));
  const iso = new Date(ms).toISOString();
  if (!format || format === 'iso') return iso;
  const parts: Record<string, string> = { YYYY: iso.slice(0, 4), MM: iso.slice(5, 7), DD: iso.slice(8, 10), HH: iso.slice(11, 13), mm: iso.slice(14, 16), ss: iso.slice(17, 19) };
  return format.replace(/YYYY|MM|DD|HH|mm|ss/g, (token) => parts[token]);
}

/** Fill every known reference; unknown ones stay as they are. */
export function interpolate(text: string, scope: Scope, fallback: DefaultFormat = 'glob'): string {
  if (!text || !/\$|\[\[/.test(text)) return text;
  return text.replace(REFERENCE, (whole, bare, bracketed, bracketFormat, braced, path, bracedFormat) => {
    const name: string = bare ?? bracketed ?? braced;
    const entry = scope.get(name);
    if (entry && path && entry.fields && Object.hasOwn(entry.fields, path)) return entry.fields[path];
    if (!entry || (path && path !== 'text' && path !== 'value')) return whole;
    return render(name, entry, bracketFormat ?? bracedFormat ?? (path === 'text' ? 'text' : undefined), fallback);
  });
}

function render(name: string, entry: ScopeEntry, format: string | undefined, fallback: DefaultFormat): string {
  if ((format ?? fallback) === 'text') return list(entry.text ?? entry.value).join(' + ');
  if (entry.verbatim && format !== 'queryparam') return list(entry.value).join(',');
  if (!format && typeof fallback === 'function') return fallback(entry.value, Array.isArray(entry.value));
  const [kind, ...args] = (format ?? (fallback as string)).split(':');
  return (FORMATS[kind] ?? FORMATS.glob)(list(entry.value), name, args);
}

/** Names that a text refers to. */
export function referencedNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const match of text.matchAll(REFERENCE)) names.add(match[1] ?? match[2] ?? match[4]);
  return names;
}

/** Prometheus: lists become a regex alternative, single values of multi-variables are escaped too, as Grafana does. */
export function prometheusFormat(value: VariableValue, multi: boolean): string {
  const escapeForRegex = (s: string) => s.replace(/\\/g, '\\\\\\\\').replace(/[$^*{}[\]'+?.()|]/g, '\\\\$&');
  if (!multi) return (value as string).replace(/\\/g, '\\\\').replace(/"/g, '\\"');
  const values = (value as readonly string[]).map(escapeForRegex);
  return values.length === 1 ? values[0] : `(${values.join('|')})`;
}
