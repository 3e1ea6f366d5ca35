/**
 * `POST /api/ds/query`, batched: everything asked in the same moment for the same range and datasource goes out as one request,
 * with refIds made unique here and given back as they were. Queries with expressions among them name each other: they go together, as they are. A request is aborted when nobody waits for it any more.
 */
import { isExpression } from '../core/expressions';
import { decodeFrame, type Frame, type FrameJSON } from '../core/frames';
import type { TimeRange } from '../core/time';
import { ApiError, postJson } from './client';

export interface Query {
  refId: string;
  datasource: { uid: string; type?: string };
  expr?: string;
  /** ms */
  intervalMs: number;
  maxDataPoints: number;
  [key: string]: unknown;
}

export interface QueryAnswer {
  refId: string;
  frames: Frame[];
  error?: string;
}

interface WireAnswer {
  results: Record<string, { status?: number; frames?: FrameJSON[]; error?: string; errorSource?: string }>;
}

interface Waiting {
  queries: Query[];
  range: TimeRange;
  signal: AbortSignal;
  resolve: (answers: QueryAnswer[]) => void;
  reject: (error: unknown) => void;
}

/** How long the first asker of a batch waits for others, ms: panels of one page mount within a frame or two. */
const GATHER_MS = 16;

let gathered: Waiting[] = [];

/** Ask; the answer keeps the order of the queries. Rejects only where the whole request failed. */
export function runQueries(queries: Query[], range: TimeRange, signal: AbortSignal): Promise<QueryAnswer[]> {
  return new Promise((resolve, reject) => {
    if (!queries.length) return resolve([]);
    if (!gathered.length) setTimeout(flush, GATHER_MS);
    gathered.push({ queries, range, signal, resolve, reject });
  });
}

interface Entry {
  owner: number;
  query: Query;
}

function flush(): void {
  const waiting = gathered.filter((w) => !w.signal.aborted);
  gathered = [];
  const batches = new Map<string, { range: TimeRange; entries: Entry[] }>();
  waiting.forEach((w, owner) => {
    const together = w.queries.some((q) => isExpression(q.datasource));
    for (const query of w.queries) {
      const key = together ? `together ${owner}` : `${w.range.from}|${w.range.to}|${query.datasource.uid}`;
      const batch = batches.get(key) ?? { range: w.range, entries: [] };
      batch.entries.push({ owner, query });
      batches.set(key, batch);
    }
  });
  const sent = [...batches.values()].map((batch) => ({ batch, answers: send(batch.range, batch.entries, abortWhenAll(batch.entries.map((e) => waiting[e.owner].signal))) }));
  waiting.forEach((w, owner) => void settle(w, sent.filter((s) => s.batch.entries.some((e) => e.owner === owner)).map((s) => ({ ...s, owner }))));
}

async function settle(waiting: Waiting, sent: { batch: { entries: Entry[] }; answers: Promise<QueryAnswer[]>; owner: number }[]): Promise<void> {
  try {
    const byQuery = new Map<Query, QueryAnswer>();
    for (const { batch, answers, owner } of sent) {
      const all = await answers;
      batch.entries.forEach((entry, i) => entry.owner === owner && byQuery.set(entry.query, all[i]));
    }
    waiting.resolve(waiting.queries.map((q) => byQuery.get(q)!));
  } catch (error) {
    waiting.reject(error);
  }
}

function abortWhenAll(signals: AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  const check = () => signals.every((s) => s.aborted) && controller.abort();
  for (const signal of new Set(signals)) signal.addEventListener('abort', check, { once: true });
  return controller.signal;
}

async function send(range: TimeRange, entries: Entry[], signal: AbortSignal): Promise<QueryAnswer[]> {
  const asTheyAre = entries.some((e) => isExpression(e.query.datasource));
  const names = entries.map(({ query }, i) => (asTheyAre ? query.refId : `q${i}`));
  const queries = entries.map((entry, i) => ({ ...entry.query, refId: names[i] }));
  const answer = await postJson<WireAnswer>('/api/ds/query', { from: String(Math.round(range.from)), to: String(Math.round(range.to)), queries }, { signal }).catch(partialFailure);
  return entries.map(({ query }, i) => {
    const result = answer.results[names[i]];
    if (query.hide) return { refId: query.refId, frames: [] };
    if (!result) return { refId: query.refId, frames: [], error: 'The server left this query unanswered' };
    const frames = (result.frames ?? []).map((json) => ({ ...decodeFrame(json), refId: query.refId }));
    return { refId: query.refId, frames, error: result.error };
  });
}

/** Grafana answers 400 or 500 with results where single queries failed; only the message is left here, so it is given to every query. */
function partialFailure(error: unknown): WireAnswer {
  if (!(error instanceof ApiError) || error.status === 0 || error.status === 401) throw error;
  return { results: new Proxy({}, { get: () => ({ error: error.message }) }) };
}
