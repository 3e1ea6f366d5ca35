/** Frames -> cells of a heatmap: buckets that the datasource made (by `le` or as wide rows), or buckets counted here. */
import { displayName } from './displayName';
import type { Frame } from './frames';
import { numberFields, timeField } from './frames';
import { alignSeries } from './series';

export interface Heat {
  /** Starts of the columns, epoch ms. */
  times: number[];
  /** Width of a column, ms. */
  stepMs: number;
  /** Names of the rows from the bottom; upper bounds where they are numbers. */
  rows: string[];
  /** counts[row][column]; null where there is none. */
  counts: (number | null)[][];
  max: number;
}

export function makeHeat(frames: readonly Frame[], options: { calculate?: boolean; calculation?: any }): Heat {
  return options.calculate ? countedHeat(frames, options.calculation) : bucketHeat(frames);
}

const bound = (name: string): number => (/^\+?Inf$/i.test(name.trim()) ? Infinity : Number(name));

function bucketHeat(frames: readonly Frame[]): Heat {
  const aligned = alignSeries(frames);
  const rows = aligned.series.map((s, i) => ({ name: s.field.labels?.le ?? displayName(s.field, s.frame, frames), column: aligned.columns[i] }));
  const numeric = rows.every((r) => !Number.isNaN(bound(r.name)));
  if (numeric) rows.sort((a, b) => bound(a.name) - bound(b.name));
  const values = rows.map((r) => r.column.map((v) => (typeof v === 'number' ? v : null)));
  // Prometheus' buckets each hold all smaller ones; the difference is what fell into one.
  const cumulative = numeric && rows.some((r) => r.name.includes('Inf')) && aligned.series.some((s) => s.field.labels?.le !== undefined);
  const alreadyApart = frames.some((f) => f.meta?.type === 'heatmap-rows');
  const counts = cumulative && !alreadyApart ? values.map((row, i) => row.map((v, c) => (v === null ? null : Math.max(0, v - (i ? (values[i - 1][c] ?? 0) : 0))))) : values;
  return finish(aligned.times, rows.map((r) => r.name), counts, timeStep(aligned.times, frames));
}

function countedHeat(frames: readonly Frame[], calculation: any): Heat {
  const points = frames.flatMap((f) => {
    const time = timeField(f);
    return time ? numberFields(f).flatMap((field) => field.values.map((v, i): [number, number] => [time.values[i], v])) : [];
  });
  const finite = points.filter(([, v]) => typeof v === 'number' && Number.isFinite(v));
  if (!finite.length) return finish([], [], [], 1);
  const [from, to] = [Math.min(...finite.map((p) => p[0])), Math.max(...finite.map((p) => p[0]))];
  const [low, high] = [Math.min(...finite.map((p) => p[1])), Math.max(...finite.map((p) => p[1]))];
  const wanted = Number(calculation?.yBuckets?.value);
  const size = calculation?.yBuckets?.mode === 'size' && wanted > 0 ? wanted : niceSize((high - low) / (wanted > 0 ? wanted : 16));
  const columns = Number(calculation?.xBuckets?.value) > 0 && calculation?.xBuckets?.mode === 'count' ? Number(calculation.xBuckets.value) : 60;
  const stepMs = Math.max(1, (to - from) / columns);
  const bottom = Math.floor(low / size);
  const rows = Math.floor(high / size) - bottom + 1;
  const counts = Array.from({ length: rows }, () => new Array<number | null>(columns).fill(null));
  for (const [t, v] of finite) {
    const [row, column] = [Math.floor(v / size) - bottom, Math.min(columns - 1, Math.floor((t - from) / stepMs))];
    counts[row][column] = (counts[row][column] ?? 0) + 1;
  }
  return finish(Array.from({ length: columns }, (_, i) => from + i * stepMs), counts.map((_, i) => String(Number(((bottom + i + 1) * size).toPrecision(10)))), counts, stepMs);
}

/** 1, 2 or 5 times a power of ten. */
export function niceSize(exact: number): number {
  if (!(exact > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(exact));
  const lead = exact / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}

function timeStep(times: readonly number[], frames: readonly Frame[]): number {
  const given = frames.map((f) => timeField(f)?.config.interval).find((i) => i);
  let smallest = Infinity;
  for (let i = 1; i < times.length; i++) smallest = Math.min(smallest, times[i] - times[i - 1]);
  return given ?? (Number.isFinite(smallest) ? smallest : 60000);
}

function finish(times: number[], rows: string[], counts: (number | null)[][], stepMs: number): Heat {
  let max = 0;
  for (const row of counts) for (const v of row) if (v !== null && v > max) max = v;
  return { times, stepMs, rows, counts, max };
}
