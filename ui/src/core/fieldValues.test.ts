import { expect, test } from 'vitest';
import { singleValues } from './fieldValues';
import { makeFrame } from './frames';

const frame = makeFrame([{ name: 'Time', type: 'time', values: [0, 1] }, { name: 'Value', type: 'number', values: [3, 5], config: { displayNameFromDS: 'rate(x)' } }]);
const shown = (fields?: string) => singleValues([frame], { calcs: ['mean'], fields }, { theme: 'dark', zone: 'utc', now: 0 }).map((v) => `${v.name} ${v.raw}`);

test('all numbers, or the field that is called so', () => {
  expect(shown()).toEqual(['rate(x) 4']);
  expect(shown('rate(x)')).toEqual(['rate(x) 4']);
  expect(shown('/rate/')).toEqual(['rate(x) 4']);
  expect(shown('other')).toEqual([]);
});

test('the name that a field has itself holds where no shown name fits', () => {
  expect(shown('/^Value$/')).toEqual(['rate(x) 4']);
  expect(shown('Value')).toEqual(['rate(x) 4']);
});

test('open limits are those of all values together, or of each field where the panel says so', () => {
  const two = (fieldMinMax: boolean) => makeFrame([{ name: 'a', type: 'number', values: [0, 10, 5], config: { fieldMinMax } }, { name: 'b', type: 'number', values: [0, 100, 50], config: { fieldMinMax } }]);
  const percents = (each: boolean) => singleValues([two(each)], { calcs: ['last'] }, { theme: 'dark', zone: 'utc', now: 0 }).map((v) => v.value.percent);
  expect(percents(false)).toEqual([0.05, 0.5]);
  expect(percents(true)).toEqual([0.5, 0.5]);
});
