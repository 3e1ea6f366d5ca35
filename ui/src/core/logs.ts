/** Log frames -> rows: level, fields, exact time. */
import type { Frame, Labels } from './frames';

export type Level = 'critical' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'unknown';

export const LEVELS: readonly Level[] = ['critical', 'error', 'warn', 'info', 'debug', 'trace', 'unknown'];

export interface LogRow {
  /** Unique in the list. */
  key: string;
  /** Epoch ms. */
  timeMs: number;
  /** Epoch ns as text: numbers cannot hold it. */
  timeNs: string;
  line: string;
  labels: Labels;
  level: Level;
  refId?: string;
}

const LEVEL_NAMES: Record<string, Level> = {
  emerg: 'critical', emergency: 'critical', fatal: 'critical', alert: 'critical', crit: 'critical', critical: 'critical', panic: 'critical',
  err: 'error', eror: 'error', error: 'error', severe: 'error',
  warn: 'warn', warning: 'warn',
  info: 'info', information: 'info', informational: 'info', notice: 'info',
  dbug: 'debug', debug: 'debug',
  trace: 'trace', verbose: 'trace',
};

const LEVEL_LABELS = ['level', 'detected_level', 'lvl', 'severity', 'loglevel'];
const LEVEL_IN_LINE = /"(?:level|lvl|severity)"\s*:\s*"(\w+)"|\b(?:level|lvl|severity)=["']?(\w+)|\b(EMERG|FATAL|CRITICAL|CRIT|ALERT|ERROR|ERR|SEVERE|WARNING|WARN|NOTICE|INFO|DEBUG|TRACE)\b/;

/** From the labels, else from how the line begins. */
export function levelOf(labels: Labels, line: string): Level {
  for (const name of LEVEL_LABELS) {
    const level = LEVEL_NAMES[labels[name]?.toLowerCase() ?? ''];
    if (level) return level;
  }
  const match = LEVEL_IN_LINE.exec(line.length > 600 ? line.slice(0, 600) : line);
  return LEVEL_NAMES[(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').toLowerCase()] ?? 'unknown';
}

export function isLogFrame(frame: Frame): boolean {
  return frame.meta?.custom?.frameType === 'LabeledTimeValues' || frame.meta?.type === 'log-lines' || frame.meta?.preferredVisualisationType === 'logs' || (frame.fields.some((f) => f.type === 'time') && frame.fields.some((f) => f.type === 'string' && /^(line|body|message)$/i.test(f.name)));
}

/** Rows of all log frames, sorted by time. */
export function logRows(frames: readonly Frame[], order: 'Ascending' | 'Descending' = 'Descending'): LogRow[] {
  const rows = frames.flatMap(rowsOf);
  // Text of equal length compares as the number does.
  const sign = order === 'Ascending' ? 1 : -1;
  return rows.map((row, i) => ({ row, i })).sort((a, b) => sign * compareNs(a.row.timeNs, b.row.timeNs) || a.i - b.i).map(({ row }) => row);
}

const compareNs = (a: string, b: string) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

function rowsOf(frame: Frame, frameIndex: number): LogRow[] {
  const time = frame.fields.find((f) => f.type === 'time');
  const line = frame.fields.find((f) => /^(line|body|message)$/i.test(f.name)) ?? frame.fields.find((f) => f.type === 'string' && f.name !== 'tsNs' && f.name !== 'id');
  if (!time || !line) return [];
  const labels = frame.fields.find((f) => f.name === 'labels' && f !== line)?.values;
  const ns = frame.fields.find((f) => f.name === 'tsNs')?.values;
  const id = frame.fields.find((f) => f.name === 'id')?.values;
  const rows = new Array<LogRow>(frame.length);
  const seen = new Map<string, number>();
  for (let i = 0; i < frame.length; i++) {
    const own = labelsAt(labels?.[i]) ?? line.labels ?? {};
    const text = line.values[i] === null || line.values[i] === undefined ? '' : String(line.values[i]);
    const timeMs = Number(time.values[i]);
    const timeNs = ns ? String(ns[i]) : `${timeMs}${String(time.nanos?.[i] ?? 0).padStart(6, '0')}`;
    const identity = String(id?.[i] ?? timeNs);
    const again = seen.get(identity) ?? 0;
    seen.set(identity, again + 1);
    // Stays the same over a refresh, so that opened lines stay open.
    rows[i] = { key: `${frameIndex}:${identity}:${again}`, timeMs, timeNs, line: text, labels: own, level: levelOf(own, text), refId: frame.refId };
  }
  return rows;
}

function labelsAt(value: unknown): Labels | undefined {
  if (value && typeof value === 'object') return value as Labels;
  if (typeof value === 'string' && value.startsWith('{'))
    try {
      return JSON.parse(value) as Labels;
    } catch {
      return undefined;
    }
  return undefined;
}

/** Fields inside the line: top-level JSON members, or logfmt pairs. Values are texts. */
export function lineFields(line: string): [string, string][] {
  const trimmed = line.trim();
  if (trimmed.startsWith('{'))
    try {
      const parsed = JSON.parse(trimmed) as Record<string, unknown>;
      return Object.entries(parsed).map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)]);
    } catch {
      return [];
    }
  const pairs = [...trimmed.matchAll(/(?:^|\s)([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)];
  return pairs.map((m) => [m[1], (m[2] ?? m[3] ?? '').replace(/\\(["\\])/g, '$1')]);
}

/** JSON over several lines; other text as it is. */
export function prettyLine(line: string): string {
  const trimmed = line.trim();
  if (!trimmed.startsWith('{') && !trimmed.startsWith('[')) return line;
  try {
    return JSON.stringify(JSON.parse(trimmed), null, 2);
  } catch {
    return line;
  }
}

/** Terminal colours are of no use here. */
export function withoutAnsi(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.includes('\u001b') ? line.replace(/\u001b\[[\d;]*[A-Za-z]/g, '') : line;
}

/** Rows a time bucket and level, for the volume chart; bucket starts are epoch ms. */
export function logVolume(rows: readonly LogRow[], from: number, to: number, buckets: number): { times: number[]; counts: Map<Level, number[]> } {
  const width = Math.max(1, (to - from) / buckets);
  const times = Array.from({ length: buckets }, (_, i) => from + i * width);
  const counts = new Map<Level, number[]>();
  for (const row of rows) {
    const index = Math.min(buckets - 1, Math.floor((row.timeMs - from) / width));
    if (index < 0) continue;
    let column = counts.get(row.level);
    if (!column) counts.set(row.level, (column = new Array<number>(buckets).fill(0)));
    column[index] += 1;
  }
  return { times, counts };
}

export type Dedup = 'none' | 'exact' | 'numbers' | 'signature';

/** Neighbours that say the same are shown once, with their number. */
export function dedupRows(rows: readonly LogRow[], how: Dedup): (LogRow & { repeats: number })[] {
  const key = how === 'exact' ? (l: string) => l : how === 'numbers' ? (l: string) => l.replace(/\d+/g, '#') : (l: string) => l.replace(/\w/g, '');
  const result: (LogRow & { repeats: number })[] = [];
  for (const row of rows) {
    const previous = result.at(-1);
    if (how !== 'none' && previous && key(previous.line) === key(row.line)) previous.repeats += 1;
    else result.push({ ...row, repeats: 1 });
  }
  return result;
}

/** Lines longer than this are cut on the screen: megabytes in one row would stop the page. */
const LONGEST_SHOWN = 8192;
const LONGEST_OPENED = 262144;

/** A line as shown in the list, or opened. */
export function shownLine(line: string, opened = false): string {
  const most = opened ? LONGEST_OPENED : LONGEST_SHOWN;
  return line.length > most ? `${line.slice(0, most)}… (${line.length} characters)` : line;
}
