import { expect, test } from 'vitest';
import { mergedRegions } from './regions';

test('regions of one colour that overlap or touch are one; other colours and gaps stay apart', () => {
  const at = (time: number, timeEnd: number | undefined, color = 'red') => ({ time, timeEnd, color });
  expect(mergedRegions([at(50, 60), at(0, 10), at(5, 20), at(20, 30), at(6, 7), at(5, 25, 'blue'), at(3, undefined), at(9, 9)])).toEqual([
    { from: 0, to: 30, color: 'red' },
    { from: 50, to: 60, color: 'red' },
    { from: 5, to: 25, color: 'blue' },
  ]);
});
