/** Frames -> the aligned columns that uPlot draws: null insertion, outer join on time, stacking. */
import type { Field, Frame } from './frames';
import { timeField } from './frames';

export interface Series {
  field: Field;
  frame: Frame;
}

/** Absent values are null (a gap) or undefined (this series has no point here; the line goes through). */
export type Column = (number | null | undefined)[];

export interface Aligned {
  /** Epoch ms, ascending. */
  times: number[];
  series: Series[];
  /** One column a series, as long as `times`. */
  columns: Column[];
}

/** Align the number columns of all frames on one time column. */
export function alignSeries(frames: readonly Frame[]): Aligned {
  const parts = frames.flatMap(partsOf);
  const series = parts.map(({ field, frame }) => ({ field, frame }));
  if (!parts.length) return { times: [], series: [], columns: [] };
  if (parts.every((p) => sameTimes(p.times, parts[0].times))) return { times: parts[0].times, series, columns: parts.map((p) => p.values) };
  const times = union(parts.map((p) => p.times));
  return { times, series, columns: parts.map((p) => spread(p.times, p.values, times)) };
}

interface Part extends Series {
  times: number[];
  values: Column;
}

function partsOf(frame: Frame): Part[] {
  const time = timeField(frame);
  if (!time) return [];
  return frame.fields
    .filter((f) => (f.type === 'number' || f.type === 'boolean') && !f.config.custom?.hideFrom?.viz)
    .map((field) => {
      const raw = field.values as number[];
      const values: Column = field.type === 'boolean' || raw.some(notDrawable) ? raw.map(drawable) : raw;
      return { field, frame, ...insertGaps(time.values, values, time.config.interval, field.config.custom?.insertNulls) };
    });
}

const notDrawable = (v: unknown) => typeof v === 'number' && !Number.isFinite(v);
const drawable = (v: unknown) => (v === null || v === undefined || notDrawable(v) ? null : Number(v));

/** A null after every point whose successor is further away than the step: an absent sample is a gap, not a line. */
function insertGaps(times: number[], values: Column, intervalMs: number | undefined, threshold: unknown): { times: number[]; values: Column } {
  const limit = typeof threshold === 'number' && threshold > 0 ? threshold : intervalMs ? intervalMs * 1.5 : Infinity;
  let first = -1;
  for (let i = 1; i < times.length; i++)
    if (times[i] - times[i - 1] > limit) {
      first = i;
      break;
    }
  if (first < 0) return { times, values };
  const outTimes = times.slice(0, first);
  const outValues = values.slice(0, first);
  for (let i = first; i < times.length; i++) {
    if (times[i] - times[i - 1] > limit) {
      outTimes.push(times[i - 1] + (intervalMs ?? limit));
      outValues.push(null);
    }
    outTimes.push(times[i]);
    outValues.push(values[i]);
  }
  return { times: outTimes, values: outValues };
}

function sameTimes(a: number[], b: number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length || a[0] !== b[0] || a.at(-1) !== b.at(-1)) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function union(columns: number[][]): number[] {
  const all = new Set<number>();
  for (const column of new Set(columns)) for (const t of column) all.add(t);
  return [...all].sort((a, b) => a - b);
}

function spread(times: number[], values: Column, all: number[]): Column {
  const out: Column = new Array(all.length).fill(undefined);
  let at = 0;
  for (let i = 0; i < times.length; i++) {
    while (all[at] !== times[i]) at++;
    out[at] = values[i];
  }
  return out;
}

/** Gaps shorter than the threshold (ms) are drawn through. */
export function bridgeGaps(times: number[], column: Column, thresholdMs: number): Column {
  const out = column.slice();
  let lastValue = -1;
  for (let i = 0; i < out.length; i++) {
    if (typeof out[i] !== 'number') continue;
    if (lastValue >= 0 && i - lastValue > 1 && times[i] - times[lastValue] < thresholdMs) for (let j = lastValue + 1; j < i; j++) out[j] = undefined;
    lastValue = i;
  }
  return out;
}

export interface StackMode {
  /** Series of one group stand on each other; absent: not stacked. */
  group?: string;
  percent: boolean;
}

export interface Stacked {
  columns: Column[];
  /** Pairs of indexes (upper, lower) between which is filled. */
  bands: [number, number][];
}

/** Stack columns by group; negative values stack downwards apart from positive ones. Absent values count as zero, all-absent rows stay absent. */
export function stackSeries(columns: Column[], modes: StackMode[]): Stacked {
  const out = columns.slice();
  const bands: [number, number][] = [];
  const groups = new Map<string, number[]>();
  modes.forEach((mode, i) => {
    if (mode.group === undefined) return;
    const negative = isNegative(columns[i]);
    const key = `${mode.group}\u0000${negative}\u0000${mode.percent}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  for (const members of groups.values()) {
    const totals = modes[members[0]].percent ? totalsOf(columns, members) : undefined;
    const sums = new Array<number>(columns[members[0]].length).fill(0);
    members.forEach((index, place) => {
      out[index] = columns[index].map((v, row) => {
        sums[row] += totals ? (totals[row] ? Number(v ?? 0) / totals[row] : 0) : Number(v ?? 0);
        return v === null || v === undefined ? (members.some((m) => typeof columns[m][row] === 'number') ? sums[row] : v) : sums[row];
      });
      if (place > 0) bands.push([index, members[place - 1]]);
    });
  }
  return { columns: out, bands };
}

function totalsOf(columns: Column[], members: number[]): number[] {
  const totals = new Array<number>(columns[members[0]].length).fill(0);
  for (const m of members) columns[m].forEach((v, row) => (totals[row] += Math.abs(Number(v ?? 0))));
  return totals;
}

function isNegative(column: Column): boolean {
  const sample = column.find((v) => typeof v === 'number' && v !== 0);
  return typeof sample === 'number' && sample < 0;
}
