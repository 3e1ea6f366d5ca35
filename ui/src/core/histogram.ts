/** Values of series -> how many fall into each bucket; or the buckets that the datasource counted. */
import type { Field } from './frames';
import { niceSize } from './niceSize';

export interface HistogramOptions {
  /** Width of a bucket; absent: as many as read well. */
  bucketSize?: unknown;
  bucketCount?: unknown;
  /** Where buckets begin: at multiples of the size plus this. */
  bucketOffset?: unknown;
}

export interface Histogram {
  size: number;
  /** Lower bounds. */
  starts: number[];
  /** counts[field][bucket] */
  counts: number[][];
}

const BUCKETS = 30;
/** A size that is far too small must not fill the page. */
const MOST_BUCKETS = 400;

export function histogram(fields: readonly Pick<Field, 'values'>[], options: HistogramOptions): Histogram {
  let [low, high] = [Infinity, -Infinity];
  for (const { values } of fields)
    for (const v of values) {
      if (!isFinite(v)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  if (low > high) return { size: 1, starts: [], counts: fields.map(() => []) };
  const offset = Number(options.bucketOffset) || 0;
  const wanted = Number(options.bucketSize) > 0 ? Number(options.bucketSize) : niceSize((high - low) / (Number(options.bucketCount) > 0 ? Number(options.bucketCount) : BUCKETS) || 1);
  const size = Math.max(wanted, niceSize((high - low) / MOST_BUCKETS || wanted));
  const first = place(low, size, offset);
  const count = place(high, size, offset) - first + 1;
  const counts = fields.map(({ values }) => {
    const column = new Array<number>(count).fill(0);
    for (const v of values) if (isFinite(v)) column[place(v, size, offset) - first] += 1;
    return column;
  });
  return { size, starts: Array.from({ length: count }, (_, i) => Number(((first + i) * size + offset).toPrecision(10))), counts };
}

const isFinite = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);

/** Sizes such as 0.1 are no binary fractions: what lies a hair below a bound belongs above it. */
const place = (v: number, size: number, offset: number) => Math.floor((v - offset) / size + 1e-9);

/** One column of all values, under one name. */
export const combined = (fields: readonly Field[]): Field[] => (fields.length ? [{ ...fields[0], name: 'Combined', values: fields.flatMap((f) => f.values) }] : []);
