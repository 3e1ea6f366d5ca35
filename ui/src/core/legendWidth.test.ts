import { expect, test } from 'vitest';
import { frameDisplays } from './display';
import { makeFrame } from './frames';
import { legendWidth } from './legendWidth';

const frame = makeFrame([{ name: 'GET', type: 'number', values: [1, 2] }, { name: 'a name of many more letters', type: 'number', values: [1000, 2000], config: { unit: 'bytes' } }]);
const displays = frameDisplays([frame], { theme: 'dark', zone: 'utc', now: 0 });
const items = frame.fields.map((field) => ({ name: field.name, field, display: displays.get(field)! }));

test('short names take little room, long names and more columns more', () => {
  const short = legendWidth(items.slice(0, 1), ['mean'], 'table', 1000);
  expect(short).toBeLessThan(200);
  expect(legendWidth(items, ['mean'], 'table', 1000)).toBeGreaterThan(short + 100);
  expect(legendWidth(items, ['mean', 'max', 'min'], 'table', 1000)).toBeGreaterThan(legendWidth(items, ['mean'], 'table', 1000) + 100);
  expect(legendWidth(items.slice(0, 1), [], 'list', 1000)).toBe(100);
});

test('long names leave more than half of the panel to the graph, where numbers do not need it', () => {
  expect(legendWidth(items, [], 'list', 300)).toBe(135);
  expect(legendWidth(items, ['mean', 'max'], 'table', 500)).toBeGreaterThan(225);
});

test('no more than 60 % of the panel; a width of the panel itself holds', () => {
  expect(legendWidth(items, ['mean', 'max', 'min', 'last'], 'table', 500)).toBe(300);
  expect(legendWidth(items, [], 'list', 1000, 222)).toBe(222);
  expect(legendWidth(items, [], 'list', 300, 222)).toBe(180);
});
