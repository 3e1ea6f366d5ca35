import { expect, test } from 'vitest';
import { barTotals, shareOf } from './barTotals';

const columns = [[3, -2, null], [5, -4, NaN], [-1, 6, 0]];

test('bars side by side reach as far as the longest, stacked ones as their sums on either side of zero', () => {
  expect(barTotals(3, columns, false)).toEqual([{ low: -1, high: 5, size: 9 }, { low: -4, high: 6, size: 12 }, { low: 0, high: 0, size: 0 }]);
  expect(barTotals(3, columns, true)).toEqual([{ low: -1, high: 8, size: 9 }, { low: -6, high: 6, size: 12 }, { low: 0, high: 0, size: 0 }]);
});

test('shares of a category add up to one; of nothing, to nothing', () => {
  const [first, , last] = barTotals(3, columns, true);
  expect([3, 5, -1].map((v) => shareOf(v, first)).reduce((a, b) => a + Math.abs(b), 0)).toBeCloseTo(1, 12);
  expect(shareOf(0, last)).toBe(0);
});
