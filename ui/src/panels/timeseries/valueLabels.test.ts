import { expect, test } from 'vitest';
import { apart } from './valueLabels';

const width = (text: string) => text.length * 10;

test('labels that would touch the one before are left out, absent values have none', () => {
  expect(apart([0, 15, 40, 60, 80], [1, 2, null, 3, 44], String, width, 5)).toEqual([{ place: 0, text: '1' }, { place: 1, text: '2' }, { place: 3, text: '3' }, { place: 4, text: '44' }]);
  expect(apart([0, 14, 40], [1, 2, 3], String, width, 5).map((l) => l.place)).toEqual([0, 2]);
});

test('what lies under the label before is not even formatted', () => {
  const asked: number[] = [];
  apart([0, 1, 2, 3, 40], [1, 2, 3, 4, 5], (v) => (asked.push(v), String(v)), width, 5);
  expect(asked).toEqual([1, 5]);
});
