import { expect, test } from 'vitest';
import { makeFrame } from './frames';
import { filteredSpans, parseSpanDuration, type SpanFilters } from './spanFilters';
import { parseTrace } from './traces';

const trace = parseTrace(
  makeFrame([
    { name: 'spanID', values: ['a', 'b', 'c'] },
    { name: 'parentSpanID', values: ['', 'a', 'a'] },
    { name: 'serviceName', values: ['web', 'api', 'api'] },
    { name: 'operationName', values: ['GET /', 'list', 'save'] },
    { name: 'startTime', type: 'number', values: [0, 1, 2] },
    { name: 'duration', type: 'number', values: [100, 20, 0.5] },
    { name: 'tags', type: 'other', values: [[{ key: 'status', value: 200 }], [{ key: 'status', value: 500 }, { key: 'db', value: 'main' }], []] },
  ]),
);
const ids = (filters: SpanFilters) => [...(filteredSpans(trace, filters) ?? [])].map((i) => trace.spans[i].id).join('');

test('nothing is filtered where nothing is set', () => {
  expect(filteredSpans(trace, {})).toBeUndefined();
  expect(filteredSpans(trace, { from: 'soon', tags: [{ key: '' }] })).toBeUndefined();
});

test('names, with and without', () => {
  expect(ids({ serviceName: 'api' })).toBe('bc');
  expect(ids({ serviceName: 'api', serviceNameOperator: '!=' })).toBe('a');
  expect(ids({ serviceName: 'api', spanName: '^s', spanNameOperator: '=~' })).toBe('c');
  expect(ids({ spanName: '(', spanNameOperator: '=~' })).toBe('');
});

test('durations, open and closed', () => {
  expect(ids({ from: '20ms' })).toBe('a');
  expect(ids({ from: '20ms', fromOperator: '>=' })).toBe('ab');
  expect(ids({ to: '20ms', toOperator: '<=', from: '500us', fromOperator: '>=' })).toBe('bc');
});

test('tags: of a value, of none, absent', () => {
  expect(ids({ tags: [{ key: 'status', operator: '=', value: '500' }] })).toBe('b');
  expect(ids({ tags: [{ key: 'status', operator: '!=', value: '500' }] })).toBe('ac');
  expect(ids({ tags: [{ key: 'db' }] })).toBe('b');
  expect(ids({ tags: [{ key: 'db', operator: '!=' }, { key: 'status' }] })).toBe('a');
});

test.each([['1.5s', 1500], ['2 m', 120000], ['3µs', 0.003], ['7ns', 0.000007], ['9', undefined], ['', undefined]] as const)('a duration of %s', (text, ms) => {
  expect(parseSpanDuration(text)).toBe(ms);
});
