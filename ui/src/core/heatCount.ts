/** A heatmap counted here: how many points of the series fall into each cell of time and value. */
import type { Frame } from './frames';
import { numberFields, timeField } from './frames';
import { finish, type Heat } from './heatCells';
import { niceSize } from './niceSize';
import { durationMs, type TimeRange } from './time';

interface Buckets {
  mode?: 'count' | 'size';
  value?: string | number;
  scale?: { type?: string; log?: number };
}

export interface CountOptions {
  xBuckets?: Buckets;
  yBuckets?: Buckets;
}

const COLUMNS = 60;
const ROWS = 16;
/** A wrong size must not fill the memory. */
const MOST_ROWS = 500;
const MOST_COLUMNS = 2000;

/** `lows`: the lower bound of each row. */
export type CountedHeat = Heat & { lows: number[] };

export function countedHeat(frames: readonly Frame[], options: CountOptions | undefined, range: TimeRange): CountedHeat {
  const points = frames.flatMap((frame): [number, number][] => {
    const times = timeField(frame)?.values;
    return times ? numberFields(frame).flatMap((field) => field.values.map((v, i): [number, number] => [times[i], v])) : [];
  });
  const finite = points.filter(([, v]) => typeof v === 'number' && Number.isFinite(v));
  const rows = rowsFor(finite, options?.yBuckets);
  if (!rows) return { ...finish([], [], [], 1), lows: [] };
  const stepMs = columnMs(options?.xBuckets, range);
  const from = Math.floor(range.from / stepMs) * stepMs;
  const columns = Math.max(1, Math.ceil((range.to - from) / stepMs));
  const counts = Array.from({ length: rows.names.length }, () => new Array<number | null>(columns).fill(null));
  for (const [t, v] of finite) {
    const [row, column] = [rows.place(v), Math.floor((t - from) / stepMs)];
    if (row >= 0 && row < counts.length && column >= 0 && column < columns) counts[row][column] = (counts[row][column] ?? 0) + 1;
  }
  // A column is named by its end, as buckets of a datasource are.
  return { ...finish(Array.from({ length: columns }, (_, i) => from + (i + 1) * stepMs), rows.names, counts, stepMs), lows: rows.lows };
}

function columnMs(buckets: Buckets | undefined, range: TimeRange): number {
  const length = Math.max(1, range.to - range.from);
  const size = buckets?.mode === 'size' ? (durationMs(String(buckets.value)) ?? Number(buckets.value)) : NaN;
  const wanted = Number(buckets?.value);
  const step = size > 0 ? size : length / (buckets?.mode !== 'size' && wanted > 0 ? wanted : COLUMNS);
  return Math.max(step, length / MOST_COLUMNS, 1);
}

interface Rows {
  /** Upper bounds. */
  names: string[];
  lows: number[];
  place: (value: number) => number;
}

function rowsFor(points: readonly [number, number][], buckets: Buckets | undefined): Rows | undefined {
  const logarithmic = buckets?.scale?.type === 'log';
  let [low, high] = [Infinity, -Infinity];
  for (const [, v] of points)
    if (!logarithmic || v > 0) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  if (low > high) return undefined;
  return logarithmic ? logRows(low, high, buckets) : evenRows(low, high, buckets);
}

function evenRows(low: number, high: number, buckets: Buckets | undefined): Rows {
  const wanted = Number(buckets?.value);
  const asked = buckets?.mode === 'size' && wanted > 0 ? wanted : niceSize((high - low) / (wanted > 0 ? wanted : ROWS));
  const size = Math.max(asked, niceSize((high - low) / MOST_ROWS));
  const bottom = Math.floor(low / size);
  const count = Math.floor(high / size) - bottom + 1;
  return { lows: Array.from({ length: count }, (_, i) => Number(label((bottom + i) * size))), names: Array.from({ length: count }, (_, i) => label((bottom + i + 1) * size)), place: (v) => Math.floor(v / size) - bottom };
}

/** `value`: into how many rows each power of the base is split. */
function logRows(low: number, high: number, buckets: Buckets | undefined): Rows {
  const base = Number(buckets?.scale?.log) === 10 ? 10 : 2;
  const split = Math.max(1, Math.min(20, Math.round(Number(buckets?.value)) || 1));
  const at = (v: number) => Math.floor((Math.log(v) / Math.log(base)) * split + 1e-9);
  const bottom = Math.max(at(low), at(high) - MOST_ROWS + 1);
  const rows = Array.from({ length: at(high) - bottom + 1 }, (_, i) => bottom + i);
  return { lows: rows.map((row) => Number(label(base ** (row / split)))), names: rows.map((row) => label(base ** ((row + 1) / split))), place: (v) => (v > 0 ? at(v) - bottom : -1) };
}

const label = (v: number) => String(Number(v.toPrecision(10)));
