/** The cells of a heatmap. */
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
  /** Smallest that is not 0; `max` where there is none. */
  min: number;
}

export function finish(times: number[], rows: string[], counts: (number | null)[][], stepMs: number): Heat {
  let max = 0;
  let min = Infinity;
  for (const row of counts)
    for (const v of row) {
      if (v === null || v === 0) continue;
      if (v > max) max = v;
      if (v < min) min = v;
    }
  return { times, stepMs, rows, counts, max, min: Math.min(min, max) };
}
