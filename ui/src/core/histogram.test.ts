import { expect, test } from 'vitest';
import { combined, histogram } from './histogram';

const field = (...values: (number | null)[]) => ({ name: 'v', type: 'number' as const, config: {}, values });

test('every number is in one bucket; what is no number is in none', () => {
  const found = histogram([field(0, 4.9, 5, null, NaN, 14), field(Infinity, 7)], { bucketSize: 5 });
  expect(found).toEqual({ size: 5, starts: [0, 5, 10], counts: [[2, 1, 1], [0, 1, 0]] });
});

test('an offset moves the bounds', () => {
  expect(histogram([field(1, 2, 3, 7)], { bucketSize: '5', bucketOffset: 2 })).toMatchObject({ starts: [-3, 2, 7], counts: [[1, 2, 1]] });
});

test('bounds of tenths hold their own values', () => {
  expect(histogram([field(0.1, 0.2, 0.3, 0.7)], { bucketSize: 0.1 }).counts[0]).toEqual([1, 1, 1, 0, 0, 0, 1]);
});

test('a count gives a round size near it; without one about thirty', () => {
  expect(histogram([field(0, 100)], { bucketCount: 10 }).size).toBe(10);
  expect(histogram([field(0, 100)], {}).size).toBe(5);
});

test('a size that is far too small is raised; one value is one bucket; none are none', () => {
  expect(histogram([field(0, 1e6)], { bucketSize: 0.001 }).starts.length).toBeLessThanOrEqual(402);
  expect(histogram([field(3, 3)], {})).toMatchObject({ starts: [3], counts: [[2]] });
  expect(histogram([field(null)], {})).toEqual({ size: 1, starts: [], counts: [[]] });
});

test('combined: one column of all', () => {
  expect(combined([field(1, 2), field(3)])).toMatchObject([{ name: 'Combined', values: [1, 2, 3] }]);
  expect(combined([])).toEqual([]);
});
