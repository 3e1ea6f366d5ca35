/** Mean or spread over a window of rows. */
import { calculation } from '../reduce';

export interface MovingWindow {
  reducer?: 'mean' | 'variance' | 'stdDev';
  windowAlignment?: 'trailing' | 'centered';
  /** Rows, or a share of them. */
  windowSize?: number;
  windowSizeMode?: 'percentage' | 'fixed';
}

/** One value a row: of the rows up to it, or around it. Absent values do not count; where all are absent the result is 0. */
export function movingValues(values: readonly any[], options: MovingWindow): (number | null)[] {
  const { reducer = 'mean', windowAlignment = 'trailing', windowSize = 0.1, windowSizeMode = 'percentage' } = options;
  const calc = calculation(reducer);
  const rows = Math.ceil(windowSize * (windowSizeMode === 'percentage' ? values.length : 1));
  if (!calc || rows <= 0) return values.map(() => null);
  const before = windowAlignment === 'centered' ? Math.floor(rows / 2) : rows - 1;
  const after = windowAlignment === 'centered' ? Math.ceil(rows / 2) - 1 : 0;
  return values.map((_, i) => (calc.of(values.slice(Math.max(0, i - before), i + after + 1), 'number') as number | null) ?? 0);
}
