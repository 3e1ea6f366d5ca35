/** Live log lines: Loki's tail websocket through the datasource proxy. */
import type { Labels } from '../core/frames';

export interface TailedLine {
  labels: Labels;
  /** Epoch ns as text. */
  timeNs: string;
  line: string;
}

export interface TailHandlers {
  onLines: (lines: TailedLine[], dropped: number) => void;
  /** `open`, or why it ended; the connection is tried again by itself. */
  onState: (state: 'open' | 'lost') => void;
}

interface TailMessage {
  streams?: { stream: Labels; values: [timeNs: string, line: string, ...rest: unknown[]][] }[];
  dropped_entries?: unknown[] | null;
}

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;

/** Follow a query until the returned function is called. */
export function tailLogs(uid: string, query: string, handlers: TailHandlers): () => void {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retryMs = FIRST_RETRY_MS;
  let ended = false;

  function connect(): void {
    const url = new URL(`/api/datasources/proxy/uid/${encodeURIComponent(uid)}/loki/api/v1/tail`, location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.search = new URLSearchParams({ query, limit: '200' }).toString();
    socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      handlers.onState('open');
    };
    // JSON, as text or as its bytes: both are seen.
    socket.onmessage = (event) => receive(typeof event.data === 'string' ? event.data : new TextDecoder().decode(event.data as ArrayBuffer));
    socket.onclose = () => {
      if (ended) return;
      handlers.onState('lost');
      timer = setTimeout(connect, retryMs);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    };
  }

  function receive(text: string): void {
    const message = JSON.parse(text) as TailMessage;
    const lines = (message.streams ?? []).flatMap((s) => s.values.map(([timeNs, line]) => ({ labels: s.stream, timeNs, line })));
    handlers.onLines(lines, message.dropped_entries?.length ?? 0);
  }

  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    socket?.close();
  };
}
