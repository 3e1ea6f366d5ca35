/** Dashboard variables without I/O: what a query variable asks for, which options come of the answer, what is selected, what it means in a query. */
import type { VariableModel } from './dashboard';
import { parseRegex } from './display';
import { interpolate, prometheusFormat, type Scope, type ScopeEntry } from './interpolate';
import { durationMs, formatDuration, stepFor, type TimeRange } from './time';

export interface Option {
  text: string;
  value: string;
}

export const ALL = '$__all';

/** What a query variable asks its datasource. */
export type VariableRequest =
  | { kind: 'labelValues'; label: string; match?: string }
  | { kind: 'labelNames'; match?: string }
  | { kind: 'metrics'; pattern: string }
  | { kind: 'queryResult'; expr: string }
  | { kind: 'series'; match: string };

/** Understands the text forms and the object forms of the Prometheus, Loki and Tempo editors. Values are written as into the panels' queries: they stand in strings there too. */
export function parseVariableQuery(query: unknown, scope: Scope): VariableRequest | null {
  const fill = (s: unknown) => interpolate(String(s ?? ''), scope, prometheusFormat).trim();
  if (query && typeof query === 'object') {
    const q = query as Record<string, any>;
    if (typeof q.query === 'string') return parseVariableQuery(q.query, scope);
    if (q.qryType !== undefined) return prometheusRequest(q, fill);
    // Loki's and Tempo's object form: 1 asks for values, 0 for names.
    if (q.type === 1 || q.type === 'labelValues') return q.label ? { kind: 'labelValues', label: fill(q.label), match: fill(q.stream) || undefined } : null;
    if (q.type === 0 || q.type === 'labelNames') return { kind: 'labelNames' };
    return null;
  }
  const text = fill(query);
  if (!text) return null;
  const call = /^(label_values|label_names|metrics|query_result)\((.*)\)\s*$/s.exec(text);
  if (!call) return { kind: 'series', match: text };
  const inner = call[2].trim();
  if (call[1] === 'label_names') return { kind: 'labelNames', match: inner || undefined };
  if (call[1] === 'metrics') return { kind: 'metrics', pattern: inner };
  if (call[1] === 'query_result') return { kind: 'queryResult', expr: inner };
  const split = /^(?:(.*),)?\s*([a-zA-Z_][\w.:-]*)\s*$/s.exec(inner);
  return split ? { kind: 'labelValues', label: split[2], match: split[1]?.trim() || undefined } : null;
}

/** Prometheus' object form, where it holds no text: names, values, metrics, a result, series. */
function prometheusRequest(q: Record<string, any>, fill: (s: unknown) => string): VariableRequest | null {
  const match = fill(q.metric) || undefined;
  const requests: Record<string, () => VariableRequest | null> = {
    0: () => ({ kind: 'labelNames', match: fill(q.match) || undefined }),
    1: () => (q.label ? { kind: 'labelValues', label: fill(q.label), match } : null),
    2: () => ({ kind: 'metrics', pattern: match ?? '.*' }),
    3: () => (q.varQuery ? { kind: 'queryResult', expr: fill(q.varQuery) } : null),
    4: () => (q.seriesQuery ? { kind: 'series', match: fill(q.seriesQuery) } : null),
  };
  return requests[q.qryType]?.() ?? null;
}

/** Text of the answer -> options: regex (with groups `text` and `value`), sort, no doubles. */
export function queryOptions(variable: VariableModel, texts: readonly string[], scope: Scope): Option[] {
  const regex = variable.regex ? parseRegex(interpolate(variable.regex, scope, 'regex')) : undefined;
  const seen = new Map<string, Option>();
  for (const text of texts) {
    const option = regex ? applyRegex(regex, text) : { text, value: text };
    if (option && !seen.has(option.value)) seen.set(option.value, option);
  }
  return sortOptions([...seen.values()], variable.sort);
}

function applyRegex(regex: RegExp, text: string): Option | null {
  const match = regex.exec(text);
  if (!match) return null;
  const { text: t, value: v } = match.groups ?? {};
  if (t !== undefined || v !== undefined) return { text: t ?? v, value: v ?? t };
  const value = match.length > 1 ? (match[1] ?? '') : match[0];
  return { text: value, value };
}

const natural = new Intl.Collator('en', { numeric: true });
const leadingNumber = (text: string) => Number(/\d+(\.\d+)?/.exec(text)?.[0] ?? NaN);

/** 0 as it came; 1, 2 alphabetical; 3, 4 numerical; 5, 6 ignoring case; 7, 8 natural. Even numbers are descending. */
export function sortOptions(options: Option[], sort: number): Option[] {
  if (!sort) return options;
  const compare: (a: Option, b: Option) => number =
    sort <= 2 ? (a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0) : sort <= 4 ? (a, b) => (leadingNumber(a.text) || 0) - (leadingNumber(b.text) || 0) : sort <= 6 ? (a, b) => a.text.toLowerCase().localeCompare(b.text.toLowerCase()) : (a, b) => natural.compare(a.text, b.text);
  const sorted = [...options].sort(compare);
  return sort % 2 ? sorted : sorted.reverse();
}

/** Options that need no question: `a, b : 2, c\,d`. */
export function staticOptions(variable: VariableModel): Option[] {
  const text = typeof variable.query === 'string' ? variable.query : '';
  if (variable.type === 'switch') return switchOptions(variable);
  if (variable.type === 'constant' || variable.type === 'textbox') return [{ text, value: text }];
  const parts = text.match(/(?:\\,|[^,])+/g) ?? [];
  return parts
    .map((part) => part.replaceAll('\\,', ',').trim())
    .filter(Boolean)
    .map((part) => {
      const pair = variable.type === 'custom' ? /^(.+)\s:\s(.+)$/.exec(part) : null;
      return pair ? { text: pair[1].trim(), value: pair[2].trim() } : { text: part, value: part };
    });
}

/** A switch has two values: the first is on, the second off. */
function switchOptions({ options }: VariableModel): Option[] {
  const option = (i: number, text: string, value: string) => ({ text: String(options[i]?.text ?? text), value: String(options[i]?.value ?? value) });
  return [option(0, 'Enabled', 'true'), option(1, 'Disabled', 'false')];
}

export const AUTO = '$__auto_interval_';

/** Interval variables: the choices, with `auto` first where it is on. */
export function intervalOptions(variable: VariableModel): Option[] {
  const options = (typeof variable.query === 'string' ? variable.query : '').match(/(?:"[^"]*"|[^,"])+/g)?.map((s) => s.trim().replace(/^"|"$/g, '')) ?? [];
  const auto = variable.auto ? [{ text: 'auto', value: `${AUTO}${variable.name}` }] : [];
  return [...auto, ...options.filter((o) => o && o !== 'auto').map((o) => ({ text: o, value: o }))];
}

/** What `auto` means for this range. */
export function autoInterval(variable: VariableModel, range: TimeRange): string {
  return formatDuration(stepFor(range, variable.auto_count ?? 30, durationMs(variable.auto_min ?? '10s') ?? 1e4));
}

/** What was selected when the dashboard was saved: all that is known where the options cannot be asked for. */
export function savedSelection(variable: VariableModel): string[] {
  return ([] as unknown[]).concat(variable.current.value ?? []).filter((v): v is string => typeof v === 'string' && v !== '');
}

/** The selection to start with: the URL's, else the saved one where it still exists, else all or the first. */
export function initialSelection(variable: VariableModel, options: readonly Option[], fromUrl: readonly string[] | undefined): string[] {
  const known = (values: readonly string[]) => values.filter((v) => options.some((o) => o.value === v));
  if (fromUrl) return fromUrl.map((v) => (v === 'All' && variable.includeAll ? ALL : (options.find((o) => o.value === v) ?? options.find((o) => o.text === v))?.value ?? v));
  if (variable.type === 'switch') return [options.find((o) => o.value === String(variable.current.value))?.value ?? options[1]?.value ?? 'false'];
  const saved = ([] as string[]).concat((variable.current.value as string | string[] | undefined) ?? []).map(String);
  if (variable.type === 'textbox' || variable.type === 'constant') return saved.length && variable.type === 'textbox' ? saved.slice(0, 1) : [String(variable.query ?? '')];
  if (saved.includes(ALL) && variable.includeAll) return [ALL];
  const kept = known(saved);
  if (kept.length) return variable.multi ? kept : kept.slice(0, 1);
  const byText = ([] as string[]).concat(variable.current.text ?? []).flatMap((t) => options.find((o) => o.text === t)?.value ?? []);
  if (byText.length) return variable.multi ? byText : byText.slice(0, 1);
  if (!options.length && saved.length && variable.type !== 'query') return saved;
  if (variable.includeAll && !saved.length) return [ALL];
  return options.length ? [options[0].value] : variable.includeAll ? [ALL] : [];
}

/** What the variable stands for in queries and titles. */
export function scopeEntry(variable: VariableModel, options: readonly Option[], selected: readonly string[], range: TimeRange): ScopeEntry {
  if (variable.type === 'interval' && selected[0]?.startsWith(AUTO)) return { value: autoInterval(variable, range), text: 'auto' };
  const textOf = (value: string) => options.find((o) => o.value === value)?.text ?? value;
  if (selected.includes(ALL)) {
    if (variable.allValue) return { value: variable.allValue, text: 'All', verbatim: true };
    return { value: options.map((o) => o.value), text: 'All' };
  }
  if (variable.multi || variable.includeAll || variable.type === 'adhoc') return { value: [...selected], text: selected.map(textOf) };
  return { value: selected[0] ?? '', text: selected.length ? textOf(selected[0]) : '' };
}

/** Variables whose definition mentions one of `names`: they are asked again when those change. */
export function dependsOn(variable: VariableModel, names: ReadonlySet<string>): boolean {
  const text = JSON.stringify([variable.query, variable.regex, variable.datasource?.uid ?? '']);
  return [...text.matchAll(/\$(\w+)|\$\{(\w+)|\[\[(\w+)/g)].some((m) => names.has(m[1] ?? m[2] ?? m[3]));
}

/** Ranges, steps and names that every query may use. */
export function builtinScope(options: { range: TimeRange; intervalMs: number; minIntervalMs: number; scrapeMs?: number; dashboard?: string; dashboardUid?: string; user?: string; zone?: string }): Map<string, ScopeEntry> {
  const { range, intervalMs } = options;
  const rangeMs = range.to - range.from;
  const scrape = options.scrapeMs ?? 15000;
  const rate = Math.max(intervalMs + scrape, 4 * scrape);
  const entries: [string, string][] = [
    ['__interval', formatDuration(intervalMs)],
    ['__interval_ms', String(Math.round(intervalMs))],
    ['__rate_interval', formatDuration(rate)],
    ['__rate_interval_ms', String(Math.round(rate))],
    ['__auto', formatDuration(intervalMs)],
    ['__range', `${Math.round(rangeMs / 1000)}s`],
    ['__range_s', String(Math.round(rangeMs / 1000))],
    ['__range_ms', String(Math.round(rangeMs))],
    ['__from', String(Math.round(range.from))],
    ['__to', String(Math.round(range.to))],
    ['__dashboard', options.dashboard ?? ''],
    ['__org', '1'],
    ['__user', options.user ?? ''],
    ['timezone', options.zone ?? 'browser'],
    ['interval', formatDuration(intervalMs)],
  ];
  const fields: Record<string, Record<string, string>> = { __dashboard: { name: options.dashboard ?? '', uid: options.dashboardUid ?? '' }, __org: { id: '1', name: 'Main Org.' }, __user: { id: '', login: options.user ?? '', email: '' } };
  return new Map(entries.map(([name, value]) => [name, { value, text: value, verbatim: true, fields: fields[name] }]));
}
