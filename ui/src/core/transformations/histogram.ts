/** How often values fall into each bucket: `xMin`, `xMax` and a column of counts a field, or one for all. */
import { numberFields, type Field } from '../frames';
import type { Transformer } from './types';

const BUCKETS = 30;
/** Sizes that a person can read, 1, 2, 2.5, 4 and 5 of every power of ten, ascending; whole from 1 on. */
const SIZES = Array.from({ length: 27 }, (_, i) => i - 9).flatMap((power) => [1, 2, 2.5, 4, 5].map((m) => Number(`${m}e${power}`)).filter((size) => size < 1 || Number.isInteger(size)));

export const histogram: Transformer = (frames, options) => {
  const fields = frames.flatMap(numberFields).map((f) => ({ ...f, values: f.values.filter(Number.isFinite) as number[] }));
  if (!fields.length) return [];
  const offset = parseFloat(options.bucketOffset) || 0;
  const size = parseFloat(options.bucketSize) > 0 ? parseFloat(options.bucketSize) : niceBucket(fields.flatMap((f) => f.values));
  const bucket = (v: number) => Number((Math.floor((v - offset) / size) * size + offset).toFixed(9));
  const starts = [...new Set(fields.flatMap((f) => f.values.map(bucket)))].sort((a, b) => a - b);
  const counted = fields.map((f): Field => ({ ...f, config: { ...f.config, unit: f.config.unit === 'short' ? 'short' : undefined }, values: countOf(f.values.map(bucket), starts) }));
  const { config } = fields.find((f) => f.config.unit) ?? { config: {} };
  const decimals = /\.(\d+)$/.exec(String(size))?.[1].length;
  const edge = (name: string, values: number[]): Field => ({ name, type: 'number', config: decimals ? { ...config, decimals } : config, values });
  const total = starts.map((_, i) => counted.reduce((sum, f) => sum + f.values[i], 0));
  const columns = options.combine ? [{ ...counted[0], name: 'count', labels: undefined, values: total }] : counted;
  return [{ refId: 'histogram', length: starts.length, fields: [edge('xMin', starts), edge('xMax', starts.map((v) => v + size)), ...columns] }];
};

function countOf(buckets: number[], starts: number[]): number[] {
  const counts = new Map<number, number>();
  for (const b of buckets) counts.set(b, (counts.get(b) ?? 0) + 1);
  return starts.map((s) => counts.get(s) ?? 0);
}

/** The smallest readable size that gives about `BUCKETS` of them and is no finer than the data. */
function niceBucket(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const steps = sorted.slice(1).flatMap((v, i) => (v !== sorted[i] ? [v - sorted[i]] : []));
  const finest = sorted.length === 1 ? 1 : steps.reduce((a, b) => Math.min(a, b), Infinity);
  const wanted = ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / BUCKETS;
  return SIZES.find((size) => size > wanted && size >= finest) ?? 1;
}
