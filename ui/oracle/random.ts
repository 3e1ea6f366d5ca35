/** Random choices that a seed repeats: a failing case names its seed. */

export interface Random {
  /** 0 (inclusive) to 1 (exclusive). */
  next: () => number;
  /** A whole number, both ends inclusive. */
  int: (from: number, to: number) => number;
  pick: <T>(from: readonly T[]) => T;
  /** Each with an even chance, in their order. */
  some: <T>(from: readonly T[]) => T[];
  chance: (probability: number) => boolean;
}

/** Source: mulberry32. */
export function random(seed: number): Random {
  let state = (seed * 2654435761) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return { next, int, pick: (from) => from[int(0, from.length - 1)], some: (from) => from.filter(() => next() < 0.5), chance: (p) => next() < p };
}

/** Seeds 1 to `count`: the rows of a `test.each`. */
export const seeds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
