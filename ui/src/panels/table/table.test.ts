import { expect, test } from 'vitest';
import { frameDisplays } from '../../core/display';
import { makeFrame, type FieldConfig } from '../../core/frames';
import { frozenLefts, headHeight, makeColumns, resized } from './columns';
import { footerRows } from './footer';
import { distinctTexts, rowAt, rowTops, sortRows } from './rows';

const frame = makeFrame([
  { name: 'host', type: 'string', values: ['b', 'a', 'a', null] },
  { name: 'load', type: 'number', values: [3, 10, 2, null], config: { unit: 's', decimals: 0 } },
  { name: 'text', type: 'string', values: ['x'.repeat(100), 'short', 'two\nlines', ''] },
]);
function columns(configs: FieldConfig[] = []) {
  const made = { ...frame, fields: frame.fields.map((f, i) => ({ ...f, config: { ...f.config, ...configs[i] } })) };
  return makeColumns(made, frameDisplays([made], { theme: 'dark', zone: 'utc', now: 0 }), 601);
}

test('rows are sorted by one column, then by the next; what is absent stands last, either way', () => {
  const by = (...sorts: [string, boolean][]) => sortRows(frame, columns(), sorts.map(([column, desc]) => ({ column, desc })), {});
  expect(by(['host', false], ['load', false])).toEqual([2, 1, 0, 3]);
  expect(by(['host', true], ['load', true])).toEqual([0, 1, 2, 3]);
  expect(by(['load', false])).toEqual([2, 0, 1, 3]);
  expect(by(['gone', false])).toEqual([0, 1, 2, 3]);
});

test('filters: part of the shown text, some of the values, both', () => {
  const left = (filters: Parameters<typeof sortRows>[3]) => sortRows(frame, columns(), [], filters);
  expect(left({ load: { text: '0 S' } })).toEqual([1]);
  expect(left({ host: { values: new Set(['a', '']) } })).toEqual([1, 2, 3]);
  expect(left({ host: { values: new Set(['a']) }, load: { text: '2' } })).toEqual([2]);
  expect(left({ host: { values: new Set() } })).toEqual([]);
  expect(distinctTexts(columns()[0])).toEqual(['', 'a', 'b']);
});

test('wrapped texts make their rows higher; a height leads back to its row', () => {
  expect(rowTops([0, 1], columns(), 30)).toBeUndefined();
  const wrapped = columns([{}, {}, { custom: { cellOptions: { type: 'auto', wrapText: true } } }]);
  const tops = rowTops([0, 1, 2, 3], wrapped, 30)!;
  expect([...tops]).toEqual([0, 78, 108, 152, 182]);
  expect([0, 77, 78, 107, 151, 500].map((y) => rowAt(y, 4, 30, tops))).toEqual([0, 0, 1, 1, 2, 4]);
  expect([0, 29, 30, 500].map((y) => rowAt(y, 4, 30, undefined))).toEqual([0, 0, 1, 4]);
});

test('a footer has a row for each calculation, over the rows that are left', () => {
  expect(footerRows(columns(), [0, 1, 2, 3], { show: true, reducer: ['sum', 'max'] })).toEqual([['Total', '15 s', ''], ['Max', '10 s', '']]);
  expect(footerRows(columns(), [0, 2], { show: true, reducer: ['sum'], fields: ['load'] })[0][1]).toBe('5 s');
  expect(footerRows(columns(), [0, 2], { show: true, reducer: ['sum'], fields: ['other'] })[0][1]).toBe('');
  expect(footerRows(columns(), [0], {})).toEqual([]);
  expect(footerRows(columns(), [0], { show: true, reducer: ['nonsense'] })).toEqual([]);
});

test('a footer may count rows', () => {
  expect(footerRows(columns(), [0, 1, 2], { show: true, reducer: ['count'], countRows: true })).toEqual([['Count', '3', '']]);
});

test('columns may have their own calculations', () => {
  const own = columns([{ custom: { footer: { reducers: ['distinctCount'] } } }, { custom: { footer: { reducers: ['max'] } } }]);
  const rows = footerRows(own, [0, 1, 2, 3], undefined);
  expect(rows.map((r) => r[1])).toEqual(['', '10 s']);
  expect(rows[0][0]).toMatch(/^\d$/);
});

test('columns: hidden ones are out, widths fill the panel, old display modes are read', () => {
  const made = columns([{ custom: { hidden: true } }, { custom: { width: 100, align: 'center', displayMode: 'lcd-gauge' } }, { custom: { inspect: true } }]);
  expect(made.map((c) => [c.name, c.width, c.align, c.cell, c.cellOptions.mode, c.inspect])).toEqual([['load', 100, 'center', 'gauge', 'lcd', false], ['text', 500, 'left', 'auto', undefined, true]]);
});

test('a column made wider by hand keeps its width, and so do those before it; given back, the table decides again', () => {
  const at = (chosen: ReadonlyMap<string, number>) => makeColumns(frame, frameDisplays([frame], { theme: 'dark', zone: 'utc', now: 0 }), 601, chosen);
  expect(columns().map((c) => c.width)).toEqual([200, 200, 200]);
  const wider = resized(columns(), new Map(), 1, 300);
  expect(at(wider).map((c) => c.width)).toEqual([200, 300, 100]);
  expect(at(resized(at(wider), wider, 1, undefined)).map((c) => c.width)).toEqual([200, 200, 200]);
});

test('names that may wrap make the head higher, within four lines', () => {
  expect(headHeight(columns())).toBe(30);
  const named = (displayName: string) => headHeight(columns([{ displayName, custom: { wrapHeaderText: true, width: 88 } }]));
  expect(named('short')).toBe(30);
  expect(named('twenty letters, more')).toBe(47);
  expect(named('x'.repeat(1000))).toBe(81);
});

test('rows are no higher than the panel lets them be', () => {
  const wrapped = columns([{}, {}, { custom: { cellOptions: { type: 'auto', wrapText: true } } }]);
  expect([...rowTops([0, 1], wrapped, 30, 40)!]).toEqual([0, 40, 70]);
  expect([...rowTops([0, 1], wrapped, 30, 10)!]).toEqual([0, 30, 60]);
});

test('the first columns may stay while others scroll, unless they would leave no room', () => {
  expect(frozenLefts(columns(), 2, 601)).toEqual([0, 200]);
  expect(frozenLefts(columns(), 2, 450)).toEqual([]);
  expect(frozenLefts(columns(), undefined, 601)).toEqual([]);
});
