/**
 * A frame that has a row a cell (`heatmap-cells`) -> the cells of a heatmap. Its columns: xMin or xMax, yMin or yMax (or y), and the count.
 * Cells may come in any order; what is missing is a gap.
 */
import type { Frame } from './frames';
import { finish, type Heat } from './heatCells';

export const CELLS = 'heatmap-cells';

/** Undefined where no frame has cells. */
export function cellHeat(frames: readonly Frame[]): Heat | undefined {
  const frame = frames.find((f) => f.meta?.type === CELLS);
  const named = (...names: string[]) => frame?.fields.find((f) => names.includes(f.name));
  const [x, y] = [named('xMax', 'xMin', 'x'), named('yMax', 'yMin', 'y')];
  const count = frame?.fields.find((f) => f.type === 'number' && f !== x && f !== y && !/^[xy](Min|Max)$/.test(f.name));
  if (!frame || !x || !y || !count) return undefined;
  const [xs, ys] = [distinct(x.values), distinct(y.values)];
  const stepMs = smallestStep(xs) ?? 60000;
  const [columns, rows] = [placesOf(xs), placesOf(ys)];
  const counts = ys.map(() => new Array<number | null>(xs.length).fill(null));
  for (let i = 0; i < frame.length; i++) if (typeof count.values[i] === 'number') counts[rows.get(y.values[i])!][columns.get(x.values[i])!] = count.values[i];
  const ends = x.name === 'xMin' ? xs.map((t) => t + stepMs) : xs;
  return finish(ends, upperBounds(ys, y.name === 'yMin').map((v) => String(Number(v.toPrecision(10)))), counts, stepMs);
}

const distinct = (values: readonly number[]): number[] => [...new Set(values.filter((v) => typeof v === 'number'))].sort((a, b) => a - b);
const placesOf = (values: readonly number[]): Map<number, number> => new Map(values.map((v, i) => [v, i]));

/** Undefined of fewer than two. */
function smallestStep(values: readonly number[]): number | undefined {
  const steps = values.slice(1).map((v, i) => v - values[i]);
  return steps.length ? steps.reduce((a, b) => Math.min(a, b)) : undefined;
}

/** A row ends where the next begins; the last one is as high as the one below it, on a logarithm too. */
function upperBounds(ys: readonly number[], lower: boolean): number[] {
  if (!lower || !ys.length) return [...ys];
  const [last, before] = [ys.at(-1)!, ys.at(-2)];
  const first = ys.length > 2 ? ys[1] / ys[0] : NaN;
  const logarithmic = before !== undefined && Math.abs(last / before - first) < 1e-6 * first;
  return [...ys.slice(1), before === undefined ? last + 1 : logarithmic ? (last * last) / before : last + (last - before)];
}
