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
