/**
 * The one place that fetches. Errors are `ApiError`s with the server's own message; a server that does not answer is reported
 * to whoever listens (the banner), polled until it is back, and reported again.
 */

export class ApiError extends Error {
  /** HTTP status; 0: no answer at all. */
  readonly status: number;
  /** Prometheus' or Grafana's name for the kind of error, where given. */
  readonly kind: string;

  constructor(status: number, message: string, kind = '') {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.kind = kind;
  }
}

export type ConnectionState = 'up' | 'down';

type Listener = (state: ConnectionState) => void;

const listeners = new Set<Listener>();
const unauthorized = new Set<() => void>();
let state: ConnectionState = 'up';
let poll: ReturnType<typeof setTimeout> | undefined;

/** Hear when the server goes away and comes back. */
export function onConnection(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Hear when the session has ended. */
export function onUnauthorized(listener: () => void): () => void {
  unauthorized.add(listener);
  return () => unauthorized.delete(listener);
}

function setState(next: ConnectionState): void {
  if (state === next) return;
  state = next;
  for (const listener of listeners) listener(next);
  if (next === 'down') schedulePoll(1000);
}

function schedulePoll(delayMs: number): void {
  clearTimeout(poll);
  poll = setTimeout(async () => {
    const alive = await fetch('/api/health', { cache: 'no-store' }).then((r) => r.ok, () => false);
    if (alive) setState('up');
    else schedulePoll(Math.min(10_000, delayMs * 1.6));
  }, delayMs);
}

const GONE = new Set([502, 503, 504]);

/** Fetch JSON; throws `ApiError`, or the abort's own error. */
export async function requestJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init, headers: { Accept: 'application/json', ...init.headers } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    setState('down');
    throw new ApiError(0, 'The server is not answering');
  }
  const body: any = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) {
    setState('up');
    return body as T;
  }
  if (GONE.has(response.status) && body === undefined) setState('down');
  if (response.status === 401 && path !== '/login') for (const listener of unauthorized) listener();
  throw new ApiError(response.status, messageOf(body, response), body?.errorType ?? '');
}

function messageOf(body: any, response: Response): string {
  const message = body?.message ?? body?.error ?? body?.detail;
  if (typeof message === 'string' && message) return message;
  return response.ok ? 'The server did not answer with JSON' : `${response.status} ${response.statusText}`.trim();
}

export function postJson<T>(path: string, body: unknown, init: RequestInit = {}): Promise<T> {
  return requestJson<T>(path, { ...init, method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
}
