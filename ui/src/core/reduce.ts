/** Calculations over one column: what legends, stats and the reduce transformation show. */
import type { Field } from './frames';

export interface Calculation {
  id: string;
  name: string;
  /** The result keeps the unit of the field. */
  sameUnit: boolean;
  of: (values: readonly any[], times?: readonly number[]) => unknown;
}

const isNumber = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v);
const present = (v: unknown) => v !== null && v !== undefined && !(typeof v === 'number' && Number.isNaN(v));

function fold<T>(values: readonly any[], start: T, step: (state: T, v: number) => T): T {
  let state = start;
  for (const v of values) if (isNumber(v)) state = step(state, v);
  return state;
}

const sum = (values: readonly any[]) => fold(values, 0, (s, v) => s + v);
const count = (values: readonly any[]) => fold(values, 0, (n) => n + 1);
const finite = (v: number) => (Number.isFinite(v) ? v : null);
const min = (values: readonly any[]) => finite(fold(values, Infinity, Math.min));
const max = (values: readonly any[]) => finite(fold(values, -Infinity, Math.max));
const mean = (values: readonly any[]) => (count(values) ? sum(values) / count(values) : null);
const first = (values: readonly any[]) => values.find(present) ?? null;
const last = (values: readonly any[]) => values.findLast(present) ?? null;

function variance(values: readonly any[]): number | null {
  const m = mean(values);
  return m === null ? null : fold(values, 0, (s, v) => s + (v - m) ** 2) / count(values);
}

/** Growth with counter resets: a fall counts from zero. */
function delta(values: readonly any[]): number | null {
  let previous: number | undefined;
  let total = 0;
  for (const v of values) {
    if (!isNumber(v)) continue;
    if (previous !== undefined) total += v >= previous ? v - previous : v;
    previous = v;
  }
  return previous === undefined ? null : total;
}

function smallestStep(values: readonly any[]): number | null {
  let previous: number | undefined;
  let smallest = Infinity;
  for (const v of values) {
    if (!isNumber(v)) continue;
    if (previous !== undefined) smallest = Math.min(smallest, v - previous);
    previous = v;
  }
  return finite(smallest);
}

function percentile(p: number): (values: readonly any[]) => number | null {
  return (values) => {
    const sorted = values.filter(isNumber).sort((a, b) => a - b);
    return sorted.length ? sorted[Math.round((sorted.length - 1) * (p / 100))] : null;
  };
}

const difference = (values: readonly any[]) => {
  const [a, b] = [first(values), last(values)];
  return isNumber(a) && isNumber(b) ? b - a : null;
};

const CALCULATIONS: readonly Calculation[] = [
  { id: 'lastNotNull', name: 'Last *', sameUnit: true, of: last },
  { id: 'last', name: 'Last', sameUnit: true, of: (v) => v.at(-1) ?? null },
  { id: 'firstNotNull', name: 'First *', sameUnit: true, of: first },
  { id: 'first', name: 'First', sameUnit: true, of: (v) => v[0] ?? null },
  { id: 'min', name: 'Min', sameUnit: true, of: min },
  { id: 'max', name: 'Max', sameUnit: true, of: max },
  { id: 'mean', name: 'Mean', sameUnit: true, of: mean },
  { id: 'median', name: 'Median', sameUnit: true, of: percentile(50) },
  { id: 'variance', name: 'Variance', sameUnit: false, of: variance },
  { id: 'stdDev', name: 'StdDev', sameUnit: true, of: (v) => (variance(v) === null ? null : Math.sqrt(variance(v)!)) },
  { id: 'sum', name: 'Total', sameUnit: true, of: (v) => (count(v) ? sum(v) : null) },
  { id: 'count', name: 'Count', sameUnit: false, of: (v) => v.length },
  { id: 'range', name: 'Range', sameUnit: true, of: (v) => (count(v) ? (max(v) as number) - (min(v) as number) : null) },
  { id: 'delta', name: 'Delta', sameUnit: true, of: delta },
  { id: 'step', name: 'Step', sameUnit: true, of: smallestStep },
  { id: 'diff', name: 'Difference', sameUnit: true, of: difference },
  { id: 'diffperc', name: 'Difference percent', sameUnit: false, of: (v) => (isNumber(first(v)) && first(v) !== 0 ? (difference(v) ?? 0) / first(v) : null) },
  { id: 'logmin', name: 'Min (above zero)', sameUnit: true, of: (v) => finite(fold(v, Infinity, (s, x) => (x > 0 ? Math.min(s, x) : s))) },
  { id: 'allIsZero', name: 'All zeros', sameUnit: false, of: (v) => v.every((x) => x === 0) },
  { id: 'allIsNull', name: 'All nulls', sameUnit: false, of: (v) => !v.some(present) },
  { id: 'changeCount', name: 'Change count', sameUnit: false, of: (v) => v.reduce((n, x, i) => n + (i > 0 && x !== v[i - 1] ? 1 : 0), 0) },
  { id: 'distinctCount', name: 'Distinct count', sameUnit: false, of: (v) => new Set(v).size },
  { id: 'allValues', name: 'All values', sameUnit: false, of: (v) => [...v] },
  { id: 'uniqueValues', name: 'All unique values', sameUnit: false, of: (v) => [...new Set(v)] },
];

/** Names of before Grafana 7. */
const OLD_NAMES: Record<string, string> = { avg: 'mean', current: 'lastNotNull', total: 'sum' };

export function calculation(id: string): Calculation | undefined {
  const percent = /^p(\d{1,2})$/.exec(id);
  if (percent) return { id, name: `${percent[1]}th %`, sameUnit: true, of: percentile(Number(percent[1])) };
  return CALCULATIONS.find((c) => c.id === (OLD_NAMES[id] ?? id));
}

/** One calculation over a field; null where it is unknown or there is no data. */
export function reduceField(field: Field, id: string): unknown {
  return calculation(id)?.of(field.values) ?? null;
}
