/** Calculations over one column: what legends, stats and the reduce transformation show. */
import type { Field, FieldType } from './frames';

export interface Calculation {
  id: string;
  name: string;
  /** The result keeps the unit of the field. */
  sameUnit: boolean;
  /** Null where there is nothing to calculate. `type`: the column's, number where it is not given. */
  of: (values: readonly any[], type?: FieldType) => unknown;
}

const isNumber = (v: unknown): v is number => typeof v === 'number' && !Number.isNaN(v);
const present = (v: unknown) => v !== null && v !== undefined && !(typeof v === 'number' && Number.isNaN(v));

function fold<T>(values: readonly any[], start: T, step: (state: T, v: number) => T): T {
  let state = start;
  for (const v of values) if (isNumber(v)) state = step(state, v);
  return state;
}

/** For numbers and times only; a column of another type gives `other`. */
const ofNumbers =
  (calc: (values: readonly any[]) => unknown, other: unknown = null): Calculation['of'] =>
  (values, type = 'number') =>
    type === 'number' || type === 'time' ? calc(values) : other;

const sum = (values: readonly any[]) => fold(values, 0, (s, v) => s + v);
const some = (values: readonly any[]) => values.some(isNumber);
const min = (values: readonly any[]) => (some(values) ? fold(values, Infinity, (a, v) => Math.min(a, v)) : null);
const max = (values: readonly any[]) => (some(values) ? fold(values, -Infinity, (a, v) => Math.max(a, v)) : null);
const mean = (values: readonly any[]) => (some(values) ? sum(values) / fold(values, 0, (n) => n + 1) : null);
const first = (values: readonly any[]) => values.find(present) ?? null;
const last = (values: readonly any[]) => values.findLast(present) ?? null;
const notNull = (values: readonly any[]) => values.filter((v) => v !== null && v !== undefined);

function variance(values: readonly any[]): number | null {
  const m = mean(values);
  return m === null ? 0 : fold(values, 0, (s, v) => s + (v - m) ** 2) / fold(values, 0, (n) => n + 1);
}

/** Growth, as Grafana counts it: a fall is a reset, and the step after it does not count either. */
function delta(values: readonly any[]): number {
  let previous: number | undefined;
  let rising = true;
  let total = 0;
  for (const v of values) {
    if (!isNumber(v)) continue;
    if (previous !== undefined) {
      const fell = v < previous;
      if (!fell && rising) total += v - previous;
      rising = !fell;
    }
    previous = v;
  }
  return total;
}

function smallestStep(values: readonly any[]): number | null {
  const numbers = values.filter(isNumber);
  return numbers.length < 2 ? null : numbers.slice(1).reduce((least, v, i) => Math.min(least, v - numbers[i]), Infinity);
}

const sorted = (values: readonly any[]) => values.filter(isNumber).sort((a, b) => a - b);

/** The nearest of the values; nothing lies between two of them. */
function percentile(p: number): Calculation['of'] {
  return ofNumbers((values) => {
    const numbers = sorted(values);
    return numbers.length ? numbers[Math.round((numbers.length - 1) * (p / 100))] : null;
  });
}

function median(values: readonly any[]): number | null {
  const numbers = sorted(values);
  const middle = numbers.length >> 1;
  return !numbers.length ? null : numbers.length % 2 ? numbers[middle] : (numbers[middle - 1] + numbers[middle]) / 2;
}

const difference = (values: readonly any[]) => {
  const [a, b] = [first(values), last(values)];
  return isNumber(a) && isNumber(b) ? b - a : null;
};

function differencePercent(values: readonly any[]): number {
  const change = difference(values);
  return change === null ? 0 : (change / first(values)) * 100;
}

function changes(values: readonly any[]): number {
  const known = values.filter((v) => v !== null);
  return known.reduce((n: number, v, i) => n + (i > 0 && v !== known[i - 1] ? 1 : 0), 0);
}

const CALCULATIONS: readonly Calculation[] = [
  { id: 'lastNotNull', name: 'Last *', sameUnit: true, of: last },
  { id: 'last', name: 'Last', sameUnit: true, of: (v) => v.at(-1) ?? null },
  { id: 'firstNotNull', name: 'First *', sameUnit: true, of: first },
  { id: 'first', name: 'First', sameUnit: true, of: (v) => v[0] ?? null },
  { id: 'min', name: 'Min', sameUnit: true, of: ofNumbers(min) },
  { id: 'max', name: 'Max', sameUnit: true, of: ofNumbers(max) },
  { id: 'mean', name: 'Mean', sameUnit: true, of: ofNumbers(mean) },
  { id: 'median', name: 'Median', sameUnit: true, of: ofNumbers(median) },
  { id: 'variance', name: 'Variance', sameUnit: true, of: ofNumbers(variance, 0) },
  { id: 'stdDev', name: 'StdDev', sameUnit: true, of: ofNumbers((v) => Math.sqrt(variance(v)!), 0) },
  { id: 'sum', name: 'Total', sameUnit: true, of: ofNumbers(sum, 0) },
  { id: 'count', name: 'Count', sameUnit: false, of: (v) => notNull(v).length },
  { id: 'countAll', name: 'Count all', sameUnit: false, of: (v) => v.length },
  { id: 'range', name: 'Range', sameUnit: true, of: ofNumbers((v) => (some(v) ? max(v)! - min(v)! : null)) },
  { id: 'delta', name: 'Delta', sameUnit: true, of: ofNumbers(delta, 0) },
  { id: 'step', name: 'Step', sameUnit: true, of: ofNumbers(smallestStep) },
  { id: 'diff', name: 'Difference', sameUnit: true, of: difference },
  { id: 'logmin', name: 'Min (above zero)', sameUnit: true, of: ofNumbers((v) => fold<number | null>(v, null, (least, x) => (x > 0 && (least === null || x < least) ? x : least))) },
  { id: 'allIsZero', name: 'All Zeros', sameUnit: true, of: ofNumbers((v) => v.some(present) && v.filter(present).every((x) => x === 0), false) },
  { id: 'allIsNull', name: 'All Nulls', sameUnit: false, of: ofNumbers((v) => !v.some(present), true) },
  { id: 'changeCount', name: 'Change Count', sameUnit: false, of: changes },
  { id: 'distinctCount', name: 'Distinct Count', sameUnit: false, of: (v) => new Set(v.filter((x) => x !== null)).size },
  { id: 'diffperc', name: 'Difference percent', sameUnit: false, of: differencePercent },
  { id: 'allValues', name: 'All values', sameUnit: false, of: (v) => [...v] },
  { id: 'uniqueValues', name: 'All unique values', sameUnit: false, of: (v) => [...new Set(v)] },
];

/** Names of before Grafana 7. */
const OLD_NAMES: Record<string, string> = { avg: 'mean', current: 'lastNotNull', total: 'sum' };

export function calculation(id: string): Calculation | undefined {
  const percent = /^p(\d{1,2})$/.exec(id);
  if (percent) return { id, name: `${percent[1]}${ordinal(Number(percent[1]))} %`, sameUnit: true, of: percentile(Number(percent[1])) };
  return CALCULATIONS.find((c) => c.id === (OLD_NAMES[id] ?? id));
}

const ordinal = (n: number) => (n > 3 && n < 21 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[n % 10] ?? 'th'));

/** One calculation over a field; null where it is unknown or there is no data. */
export function reduceField(field: Field, id: string): unknown {
  return calculation(id)?.of(field.values, field.type) ?? null;
}
