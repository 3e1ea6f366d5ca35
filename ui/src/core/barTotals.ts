/** How far the bars of each category reach, so that axes and shares know. */

export interface BarTotal {
  /** Not above 0, and not below it. */
  low: number;
  high: number;
  /** Of the sizes, whatever their sign: what 100 % is. */
  size: number;
}

/** `columns[series][category]`. Stacked bars add up, above and below zero apart; others stand side by side. */
export function barTotals(categories: number, columns: readonly (readonly (number | null)[])[], stacked: boolean): BarTotal[] {
  return Array.from({ length: categories }, (_, c) => {
    const values = columns.map((column) => column[c]).filter((v): v is number => typeof v === 'number' && Number.isFinite(v));
    const [above, below] = [values.filter((v) => v > 0), values.filter((v) => v < 0)];
    const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
    const size = sum(values.map(Math.abs));
    return stacked ? { low: sum(below), high: sum(above), size } : { low: Math.min(0, ...below), high: Math.max(0, ...above), size };
  });
}

/** A value as a share of its category. */
export const shareOf = (value: number, total: BarTotal): number => (total.size > 0 ? value / total.size : 0);
