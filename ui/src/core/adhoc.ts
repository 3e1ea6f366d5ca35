/**
 * Ad hoc filters: label conditions that a person adds to every query of one datasource. They are put into each selector of the text;
 * a small reader of PromQL and LogQL finds the selectors, so that strings, comments, ranges and label lists stay as they are.
 */
export interface AdhocFilter {
  key: string;
  /** `=`, `!=`, `=~`, `!~`, and `=|`, `!=|` (one of, none of). */
  operator: string;
  /** One value; several for `=|` and `!=|`. */
  values: string[];
}

export const OPERATORS = ['=', '!=', '=~', '!~'] as const;
const KNOWN = new Set<string>([...OPERATORS, '=|', '!=|']);

/** The address's form, as Grafana writes it: `key|operator|value`, with `__gfp__` for a bar and `__gfc__` for a comma. */
export function filterText(filter: AdhocFilter): string {
  return [filter.key, filter.operator, ...filter.values].map((s) => s.replaceAll('|', '__gfp__').replaceAll(',', '__gfc__')).join('|');
}

/** Undefined where the text is no filter. */
export function parseFilter(text: string): AdhocFilter | undefined {
  // A comma separates a value from its label; only the value matters here.
  const [key, operator, ...values] = text.split('|').map((s) => s.split(',')[0].replaceAll('__gfp__', '|').replaceAll('__gfc__', ','));
  return key && KNOWN.has(operator) && values.length ? { key, operator, values } : undefined;
}

const quote = (s: string) => `"${s.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
const escapeRegex = (s: string) => s.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function matcher({ key, operator, values }: AdhocFilter): string {
  const name = /^[a-zA-Z_]\w*$/.test(key) ? key : quote(key);
  if (operator.endsWith('|')) return `${name}${operator === '=|' ? '=~' : '!~'}${quote(values.map(escapeRegex).join('|'))}`;
  return `${name}${operator}${quote(values[0])}`;
}

/** Words that are never the name of a metric, unless braces follow. */
const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'atan2', 'inf', 'nan']);
const LABEL_LISTS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
/** Space and comments; strings; ranges; numbers and durations; names; anything else, a character at a time. */
const TOKEN = /(\s+|#[^\n]*)|("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|`[^`]*`?)|(\[[^\]]*\]?)|(\d[\w.]*)|([a-zA-Z_:][\w:.]*)|([^])/gs;

interface Token {
  text: string;
  kind: 'space' | 'name' | 'other';
}

function tokens(text: string): Token[] {
  return [...text.matchAll(TOKEN)].map((m) => ({ text: m[0], kind: m[1] !== undefined ? 'space' : m[5] !== undefined ? 'name' : 'other' }));
}

/** The query with the filters in every selector. Text that cannot be read is left to the server to complain about. */
export function applyFilters(expr: string, filters: readonly AdhocFilter[], language: 'promql' | 'logql' = 'promql'): string {
  const added = filters.map(matcher).join(', ');
  if (!added) return expr;
  const all = tokens(expr);
  const after = (i: number): number => {
    let next = i + 1;
    while (all[next]?.kind === 'space') next++;
    return next;
  };
  const out: string[] = [];
  for (let i = 0; i < all.length; i++) {
    const { text, kind } = all[i];
    out.push(text);
    if (text === '{') {
      const close = all.findIndex((t, at) => at > i && t.text === '}');
      out.push(all[after(i)]?.text === '}' ? added : `${added}, `);
      const end = close < 0 ? all.length - 1 : close;
      while (i < end) out.push(all[++i].text);
    } else if (kind === 'name' && language === 'promql') {
      const next = all[after(i)]?.text;
      const word = text.toLowerCase();
      if (LABEL_LISTS.has(word) && next === '(') while (i + 1 < all.length && all[i].text !== ')') out.push(all[++i].text);
      else if (next !== '{' && next !== '(' && !KEYWORDS.has(word) && !/^(by|without)$/i.test(next ?? '')) out.push(`{${added}}`);
    }
  }
  return out.join('');
}
