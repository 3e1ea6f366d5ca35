/** Queries run in Explore, newest first, kept in this browser. */
export interface PastQuery {
  expr: string;
  /** Datasource uid. */
  datasource: string;
  /** Epoch ms. */
  at: number;
}

const KEY = 'spyglass.explore.history';
const MOST = 100;

export function pastQueries(): PastQuery[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((q): q is PastQuery => typeof q?.expr === 'string' && typeof q?.datasource === 'string') : [];
  } catch {
    return [];
  }
}

/** Adds a query in front; the same text is kept once. */
export function rememberQuery(expr: string, datasource: string): PastQuery[] {
  const next = [{ expr, datasource, at: Date.now() }, ...pastQueries().filter((q) => q.expr !== expr || q.datasource !== datasource)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Full or forbidden: the history then ends with the page.
  }
  return next;
}
