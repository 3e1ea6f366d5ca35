/**
 * A trace's frame -> spans in the order of a waterfall. Columns as Grafana's tracing datasources name them: traceID, spanID, parentSpanID,
 * operationName, serviceName, serviceTags, startTime and duration (ms, with fractions), tags, logs, kind, statusCode, statusMessage,
 * references, warnings. Times stay numbers of ms; a trace is a tree by parentSpanID, whatever has no known parent is a root.
 */
import type { Frame } from './frames';

export interface KeyValue {
  key: string;
  value: unknown;
}

export interface SpanEvent {
  /** Epoch ms. */
  time: number;
  name: string;
  fields: KeyValue[];
}

export interface Span {
  id: string;
  traceId: string;
  service: string;
  operation: string;
  /** Epoch ms. */
  start: number;
  /** ms */
  duration: number;
  error: boolean;
  status: string;
  kind: string;
  tags: KeyValue[];
  serviceTags: KeyValue[];
  events: SpanEvent[];
  warnings: string[];
  /** Spans of this or other traces that it refers to without being their child. */
  links: { traceId: string; spanId: string }[];
  /** 0 for roots. */
  depth: number;
  /** Places of its parent and of what comes after all that is below it, in the list; parent -1: none. */
  parent: number;
  end: number;
  /** Row in the frame. */
  row: number;
}

export interface Trace {
  /** Depth first, children by their start. */
  spans: Span[];
  /** Epoch ms. */
  start: number;
  /** ms */
  duration: number;
  services: string[];
  errors: number;
}

export const isTraceFrame = (frame: Frame): boolean => ['spanID', 'startTime', 'duration'].every((name) => frame.fields.some((f) => f.name === name));

export function parseTrace(frame: Frame): Trace {
  const column = (name: string): readonly any[] => frame.fields.find((f) => f.name === name)?.values ?? [];
  const [ids, parents, starts, durations, tags, logs] = ['spanID', 'parentSpanID', 'startTime', 'duration', 'tags', 'logs'].map(column);
  const [traceIds, services, operations, serviceTags, kinds, codes, messages, warnings, references] = ['traceID', 'serviceName', 'operationName', 'serviceTags', 'kind', 'statusCode', 'statusMessage', 'warnings', 'references'].map(column);
  const read = (row: number): Span => {
    const own = pairs(tags[row]);
    return {
      id: String(ids[row]), traceId: String(traceIds[row] ?? ''), service: String(services[row] ?? ''), operation: String(operations[row] ?? ''),
      start: Number(starts[row]) || 0, duration: Math.max(0, Number(durations[row]) || 0),
      error: isError(codes[row], own), status: String(messages[row] ?? ''), kind: String(kinds[row] ?? ''),
      tags: own, serviceTags: pairs(serviceTags[row]), events: eventsOf(logs[row]), warnings: list(warnings[row]).map(String),
      links: list(references[row]).filter((r) => r && typeof r === 'object').map((r: any) => ({ traceId: String(r.traceID ?? ''), spanId: String(r.spanID ?? '') })),
      depth: 0, parent: -1, end: 0, row,
    };
  };
  const spans = inOrder(Array.from({ length: frame.length }, (_, row) => read(row)), (span) => String(parents[span.row] ?? ''));
  const start = spans.reduce((a, s) => Math.min(a, s.start), Infinity);
  const end = spans.reduce((a, s) => Math.max(a, s.start + s.duration), -Infinity);
  return { spans, start: spans.length ? start : 0, duration: spans.length ? end - start : 0, services: [...new Set(spans.map((s) => s.service))], errors: spans.filter((s) => s.error).length };
}

const list = (value: unknown): unknown[] => {
  const parsed = typeof value === 'string' && value.startsWith('[') ? tryJson(value) : value;
  return Array.isArray(parsed) ? parsed : [];
};

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const pairs = (value: unknown): KeyValue[] => list(value).filter((t): t is KeyValue => typeof (t as KeyValue | null)?.key === 'string');

function eventsOf(value: unknown): SpanEvent[] {
  return list(value).filter((e) => e && typeof e === 'object').map((e: any) => ({ time: Number(e.timestamp) || 0, name: String(e.name ?? ''), fields: pairs(e.fields) }));
}

/** 2 is OpenTelemetry's error; Jaeger's and Zipkin's spans have a tag instead. */
function isError(code: unknown, tags: readonly KeyValue[]): boolean {
  if (code !== undefined && code !== null) return Number(code) === 2;
  return tags.some((t) => (t.key === 'error' && t.value !== false && t.value !== 'false') || ((t.key === 'status.code' || t.key === 'otel.status_code') && (t.value === 2 || t.value === 'ERROR')));
}

function inOrder(spans: Span[], parentOf: (span: Span) => string): Span[] {
  const byId = new Map(spans.map((s) => [s.id, s]));
  const children = new Map<Span, Span[]>();
  const roots: Span[] = [];
  for (const span of spans) {
    const parent = byId.get(parentOf(span));
    if (!parent || parent === span) roots.push(span);
    else if (children.has(parent)) children.get(parent)!.push(span);
    else children.set(parent, [span]);
  }
  const byStart = (a: Span, b: Span) => a.start - b.start || b.duration - a.duration || a.row - b.row;
  const out: Span[] = [];
  walk(roots.sort(byStart), children, byStart, out);
  // Parents in a circle are reached from no root: their first one becomes one.
  if (out.length < spans.length) {
    const seen = new Set(out);
    for (const span of spans.toSorted(byStart)) if (!seen.has(span)) walk([span], children, byStart, out, seen);
  }
  return out;
}

/** Without recursion: a chain of spans may be longer than the stack. */
function walk(roots: Span[], children: ReadonlyMap<Span, Span[]>, order: (a: Span, b: Span) => number, out: Span[], seen = new Set<Span>()): void {
  const stack = roots.toReversed().map((span) => ({ span, depth: 0, parent: -1 }));
  const open: number[] = [];
  const closeTo = (depth: number) => {
    while (open.length && out[open.at(-1)!].depth >= depth) out[open.pop()!].end = out.length;
  };
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (seen.has(next.span)) continue;
    seen.add(next.span);
    closeTo(next.depth);
    Object.assign(next.span, { depth: next.depth, parent: next.parent });
    const place = out.push(next.span) - 1;
    open.push(place);
    for (const child of (children.get(next.span) ?? []).sort(order).toReversed()) stack.push({ span: child, depth: next.depth + 1, parent: place });
  }
  closeTo(0);
}

/** Places of the spans that show when those in `closed` (by id) hide what is below them. */
export function shownSpans(trace: Trace, closed: ReadonlySet<string>): number[] {
  const shown: number[] = [];
  for (let i = 0; i < trace.spans.length; ) {
    shown.push(i);
    i = closed.has(trace.spans[i].id) ? trace.spans[i].end : i + 1;
  }
  return shown;
}

/** Places of the spans that hold a text: in the service, operation, status, kind, id, or a tag as `key`, `value` or `key=value`. */
export function matchingSpans(trace: Trace, wanted: string): number[] {
  const text = wanted.trim().toLowerCase();
  if (!text) return [];
  const holds = (s: Span) =>
    [s.service, s.operation, s.status, s.kind, s.id].some((v) => v.toLowerCase().includes(text)) || [...s.tags, ...s.serviceTags].some((t) => `${t.key}=${typeof t.value === 'string' ? t.value : JSON.stringify(t.value)}`.toLowerCase().includes(text));
  return trace.spans.flatMap((s, i) => (holds(s) ? [i] : []));
}

/** Three digits with the unit that fits: `85 µs`, `1.24 ms`, `2.1 s`, `3 min 4 s`. */
export function formatDuration(ms: number): string {
  const digits = (v: number) => String(Number(v.toPrecision(3)));
  if (ms < 0.001) return ms > 0 ? `${digits(ms * 1e6)} ns` : '0 s';
  if (ms < 1) return `${digits(ms * 1e3)} µs`;
  if (ms < 1e3) return `${digits(ms)} ms`;
  if (ms < 6e4) return `${digits(ms / 1e3)} s`;
  const [hours, minutes, seconds] = [Math.floor(ms / 36e5), Math.floor(ms / 6e4) % 60, Math.round(ms / 1e3) % 60];
  return hours ? `${hours} h ${minutes} min` : `${minutes} min${seconds ? ` ${seconds} s` : ''}`;
}
