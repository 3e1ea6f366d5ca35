import { expect, test } from 'vitest';
import { logEnds, valueScale } from './valueScale';

test('a linear scale begins at zero, or at the end that is nearest to it', () => {
  const scale = valueScale(-50, 150, 4);
  expect([-50, 0, 150, 400].map(scale.place)).toEqual([0, 0.25, 1, 1]);
  expect(scale.ticks).toEqual([-50, 0, 50, 100, 150]);
  expect(scale.base).toBe(0);
  expect(valueScale(20, 40, 4).base).toBe(20);
  expect(valueScale(-40, -20, 4).base).toBe(-20);
});

test('a logarithmic scale gives each power the same room; what is not above zero has none', () => {
  const scale = valueScale(1, 1000, 10, { type: 'log', log: 10 });
  expect(scale.ticks).toEqual([1, 10, 100, 1000]);
  expect(scale.place(10)).toBeCloseTo(1 / 3);
  expect([0, -5, 1].map(scale.place)).toEqual([0, 0, 0]);
  expect(valueScale(1, 1e9, 3, { type: 'log', log: 10 }).ticks).toEqual([1, 1e4, 1e8]);
  expect(valueScale(1, 8, 10, { type: 'log', log: 2 }).ticks).toEqual([1, 2, 4, 8]);
});

test.each([
  [10, 900, 10, [1, 1000]],
  [12, 900, 10, [10, 1000]],
  [3, 3, 2, [2, 4]],
  [-5, 0, 10, [0.1, 1]],
] as const)('logarithmic ends around %d to %d, base %d', (least, most, log, ends) => {
  logEnds(least, most, { type: 'log', log }).forEach((v, i) => expect(v).toBeCloseTo(ends[i], 9));
});

test('symlog: both signs, straight around zero, ticks on either side of it', () => {
  const scale = valueScale(-1000, 1000, 8, { type: 'symlog', log: 10, linearThreshold: 10 });
  expect(scale.place(0)).toBe(0.5);
  expect(scale.place(1000) - scale.place(100)).toBeCloseTo(scale.place(-100) - scale.place(-1000));
  expect(scale.ticks).toEqual([-1000, -100, -10, 0, 10, 100, 1000]);
});

test('a scale without extent has everything at its foot', () => {
  expect(valueScale(5, 5, 4).place(5)).toBe(0);
});
