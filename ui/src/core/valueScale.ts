/** Places of values on an axis of bars: linear, logarithmic, or logarithmic on both sides of a straight stretch around zero; and its ticks. */
import { niceSize } from './niceSize';

/** Grafana's `scaleDistribution`. */
export interface Distribution {
  type?: string;
  /** Base, 2 or 10. */
  log?: number;
  /** Half of the straight stretch of `symlog`. */
  linearThreshold?: number;
}

export interface ValueScale {
  /** 0 at the low end, 1 at the high end; what lies beyond stands at the end. */
  place: (value: number) => number;
  /** Ascending, between the ends. */
  ticks: number[];
  /** Where bars begin: zero, or the end that is nearest to it. */
  base: number;
}

export const isLogarithmic = (d: Distribution | undefined): boolean => d?.type === 'log';

/** `low` and `high`: the ends; on a logarithm both above zero. `count`: ticks wanted, at least 2. */
export function valueScale(low: number, high: number, count: number, distribution?: Distribution): ValueScale {
  const base = Number(distribution?.log) === 2 ? 2 : 10;
  const wanted = Math.max(2, count);
  if (distribution?.type === 'log') return made(low, high, (v) => (v > 0 ? Math.log(v) : -Infinity), thinned(powers(low, high, base), wanted), low);
  const start = Math.min(high, Math.max(low, 0));
  if (distribution?.type !== 'symlog') return made(low, high, (v) => v, evenTicks(low, high, wanted), start);
  const straight = Number(distribution.linearThreshold) > 0 ? Number(distribution.linearThreshold) : 1;
  const up = powers(straight, Math.max(straight, high), base);
  const down = powers(straight, Math.max(straight, -low), base).map((v) => -v).reverse();
  const ticks = [...thinned(down.reverse(), wanted / 2).reverse(), 0, ...thinned(up, wanted / 2)].filter((v) => v >= low && v <= high);
  return made(low, high, (v) => Math.asinh(v / straight), ticks, start);
}

/** The ends of a logarithmic axis: whole powers around what is above zero. The least value stands a power above the foot, or its bar would have no height. */
export function logEnds(least: number, most: number, distribution: Distribution): [number, number] {
  const base = Number(distribution.log) === 2 ? 2 : 10;
  if (!(least > 0) || !(most > 0)) return [1 / base, 1];
  const power = (v: number) => Math.log(v) / Math.log(base);
  const low = Math.ceil(power(least) - 1e-9) - 1;
  return [base ** low, base ** Math.max(low + 1, Math.ceil(power(most) - 1e-9))];
}

function made(low: number, high: number, bend: (v: number) => number, ticks: number[], base: number): ValueScale {
  const [from, to] = [bend(low), bend(high)];
  return { place: (v) => (to > from ? Math.min(1, Math.max(0, (bend(v) - from) / (to - from))) : 0), ticks, base };
}

function evenTicks(low: number, high: number, count: number): number[] {
  const step = niceSize((high - low) / count);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.min(40, Math.floor(high / step + 1e-9) - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function powers(low: number, high: number, base: number): number[] {
  const out: number[] = [];
  for (let power = Math.ceil(Math.log(low) / Math.log(base) - 1e-9); out.length < 400; power++) {
    const v = base ** power;
    if (v > high * (1 + 1e-9)) break;
    out.push(v);
  }
  return out;
}

/** Every second, third, ... of them, so that no more than `most` are left. */
function thinned(ticks: number[], most: number): number[] {
  const every = Math.max(1, Math.ceil(ticks.length / Math.max(1, most)));
  return ticks.filter((_, i) => i % every === 0);
}
