/** Frames -> cells of a heatmap: buckets that the datasource made (by `le` or as wide rows), or buckets counted here. */
import { displayName } from './displayName';
import type { Frame } from './frames';
import { timeField } from './frames';
import { finish, type Heat } from './heatCells';
import { cellHeat } from './heatOfCells';
import { countedHeat, type CountOptions } from './heatCount';
import { alignSeries } from './series';
import type { TimeRange } from './time';

export interface HeatOptions {
  calculate?: boolean;
  calculation?: CountOptions;
  yAxis?: { min?: unknown; max?: unknown };
}

export function makeHeat(frames: readonly Frame[], options: HeatOptions, range: TimeRange): Heat {
  return within(options.calculate ? countedHeat(frames, options.calculation, range) : (cellHeat(frames) ?? bucketHeat(frames)), options.yAxis ?? {});
}

/** Rows whose bounds are numbers, cut to what the axis shows. */
function within(heat: Heat, axis: { min?: unknown; max?: unknown }): Heat {
  const [min, max] = [axis.min, axis.max].map((v) => (v === null || v === undefined || v === '' || Number.isNaN(Number(v)) ? undefined : Number(v)));
  if (min === undefined && max === undefined) return heat;
  const kept = heat.rows.flatMap((name, i) => {
    const at = bound(name);
    return Number.isNaN(at) || ((min === undefined || at > min) && (max === undefined || (i > 0 ? bound(heat.rows[i - 1]) < max : true))) ? [i] : [];
  });
  return finish(heat.times, kept.map((i) => heat.rows[i]), kept.map((i) => heat.counts[i]), heat.stepMs);
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

function timeStep(times: readonly number[], frames: readonly Frame[]): number {
  const given = frames.map((f) => timeField(f)?.config.interval).find((i) => i);
  let smallest = Infinity;
  for (let i = 1; i < times.length; i++) smallest = Math.min(smallest, times[i] - times[i - 1]);
  return given ?? (Number.isFinite(smallest) ? smallest : 60000);
}
