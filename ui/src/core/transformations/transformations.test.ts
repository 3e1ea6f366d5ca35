import { describe, expect, test } from 'vitest';
import { displayName } from '../displayName';
import { makeFrame, type Frame } from '../frames';
import { nameTableValues } from '../tableValues';
import { knownTransformation, transform } from './index';

const run = (frames: Frame[], id: string, options: object = {}) => transform(frames, [{ id, options }]);
/** Columns by name: short to compare. */
const table = (frame: Frame, all: Frame[] = [frame]) => Object.fromEntries(frame.fields.map((f) => [displayName(f, frame, all), f.values]));

const byTenant = (refId: string, values: number[]) => makeFrame([{ name: 'Time', type: 'time', values: values.map(() => 5) }, { name: 'tenant', values: ['a', 'b'] }, { name: 'Value', values }], { refId, meta: { preferredVisualisationType: 'table' } });
const series = (name: string, values: number[], labels?: Record<string, string>) => makeFrame([{ name: 'Time', type: 'time', values: [1, 2] }, { name: 'Value', values, labels, config: labels ? {} : { displayNameFromDS: name } }], { refId: 'A' });

test('all 22 that dashboards use are known', () => {
  const used = 'organize merge renameByRegex joinByField groupBy filterFieldsByName sortBy calculateField labelsToFields seriesToColumns reduce filterByValue seriesToRows timeSeriesTable convertFieldType extractFields groupingToMatrix partitionByValues prepareTimeSeries formatTime joinByLabels limit';
  expect(used.split(' ').filter((id) => !knownTransformation(id))).toEqual([]);
});

test('an unknown one, and a disabled one, leave the frames alone', () => {
  const frames = [series('a', [1, 2])];
  expect(transform(frames, [{ id: 'nope', options: {} }, { id: 'limit', options: { limitField: 1 }, disabled: true }])).toBe(frames);
});

test('merge makes one row of those that agree, and tells values apart by query', () => {
  const [merged] = run(nameTableValues([byTenant('A', [1, 2]), byTenant('B', [3, 4])]), 'merge');
  expect(table(merged)).toEqual({ Time: [5, 5], tenant: ['a', 'b'], 'Value #A': [1, 2], 'Value #B': [3, 4] });
});

test('merge keeps rows apart that differ in the same field', () => {
  const [merged] = run([byTenant('A', [1, 2]), byTenant('A', [3, 4])], 'merge');
  expect(merged.length).toBe(4);
});

test('organize hides, orders and renames', () => {
  const [frame] = run([byTenant('A', [1, 2])], 'organize', { excludeByName: { Time: true }, indexByName: { Value: 0, tenant: 1 }, renameByName: { Value: 'Rate' } });
  expect(Object.keys(table(frame))).toEqual(['Rate', 'tenant']);
});

test('renameByRegex uses groups', () => {
  const frames = run([series('cpu-web-1', [1, 2])], 'renameByRegex', { regex: 'cpu-(.*)', renamePattern: '$1' });
  expect(Object.keys(table(frames[0]))).toEqual(['Time', 'web-1']);
});

test('joinByField is outer by default, inner on request', () => {
  const [a, b] = [makeFrame([{ name: 'Time', type: 'time', values: [1, 2] }, { name: 'x', values: [10, 20] }]), makeFrame([{ name: 'Time', type: 'time', values: [2, 3] }, { name: 'y', values: [200, 300] }])];
  expect(table(run([a, b], 'joinByField')[0])).toEqual({ Time: [1, 2, 3], x: [10, 20, null], y: [null, 200, 300] });
  expect(table(run([a, b], 'joinByField', { mode: 'inner', byField: 'Time' })[0])).toEqual({ Time: [2], x: [20], y: [200] });
});

test('groupBy groups and calculates', () => {
  const frame = makeFrame([{ name: 'k', values: ['a', 'b', 'a'] }, { name: 'v', values: [1, 2, 3] }]);
  const [grouped] = run([frame], 'groupBy', { fields: { k: { operation: 'groupby' }, v: { operation: 'aggregate', aggregations: ['sum', 'count'] } } });
  expect(table(grouped)).toEqual({ k: ['a', 'b'], 'v (sum)': [4, 2], 'v (count)': [2, 1] });
});

test('reduce makes one row a series, or reduces in place', () => {
  const frames = [series('a', [1, 2]), series('b', [3, 4])];
  expect(table(run(frames, 'reduce', { reducers: ['max', 'mean'] })[0])).toEqual({ Field: ['a', 'b'], Max: [2, 4], Mean: [1.5, 3.5] });
  expect(run(frames, 'reduce', { mode: 'reduceFields', reducers: ['last'] }).map((f) => f.fields[0].values)).toEqual([[2], [4]]);
});

test('filterFieldsByName by name and pattern', () => {
  expect(Object.keys(table(run([byTenant('A', [1, 2])], 'filterFieldsByName', { include: { names: ['tenant'], pattern: '/^V/' } })[0]))).toEqual(['tenant', 'Value']);
  expect(Object.keys(table(run([byTenant('A', [1, 2])], 'filterFieldsByName', { exclude: { names: ['Time'] } })[0]))).toEqual(['tenant', 'Value']);
});

test('filterByValue includes or excludes rows', () => {
  const filters = [{ fieldName: 'Value', config: { id: 'greater', options: { value: 1 } } }];
  expect(table(run([byTenant('A', [1, 2])], 'filterByValue', { type: 'include', match: 'any', filters })[0]).tenant).toEqual(['b']);
  expect(table(run([byTenant('A', [1, 2])], 'filterByValue', { type: 'exclude', match: 'any', filters })[0]).tenant).toEqual(['a']);
});

test('sortBy and limit', () => {
  expect(table(run([byTenant('A', [1, 2])], 'sortBy', { sort: [{ field: 'Value', desc: true }] })[0]).tenant).toEqual(['b', 'a']);
  expect(run([byTenant('A', [1, 2])], 'limit', { limitField: 1 })[0].length).toBe(1);
});

describe('calculateField', () => {
  const frame = () => makeFrame([{ name: 'a', values: [6, 8] }, { name: 'b', values: [3, null] }]);
  const last = (options: object) => run([frame()], 'calculateField', options)[0].fields.at(-1)!;
  test('binary', () => expect(last({ mode: 'binary', binary: { left: 'a', operator: '/', right: 'b' }, alias: 'ratio' })).toMatchObject({ name: 'ratio', values: [2, Infinity] }));
  test('binary with a number', () => expect(last({ mode: 'binary', binary: { left: { matcher: { id: 'byName', options: 'a' } }, operator: '*', right: { fixed: '10' } } })).toMatchObject({ name: 'a * 10', values: [60, 80] }));
  test('row total', () => expect(last({ mode: 'reduceRow', reduce: { reducer: 'sum' } })).toMatchObject({ name: 'Total', values: [9, 8] }));
  test('unary and index', () => {
    expect(last({ mode: 'unary', unary: { operator: 'sqrt', fieldName: 'a' } }).values[0]).toBeCloseTo(2.449);
    expect(last({ mode: 'index' }).values).toEqual([0, 1]);
  });
});

test('labelsToFields makes columns of labels', () => {
  const frames = run([series('', [1, 2], { pod: 'x' }), series('', [3, 4], { pod: 'y' })], 'labelsToFields');
  const [frame] = run(frames, 'merge');
  expect(frames.map((f) => table(f))).toEqual([{ Time: [1, 2], Value: [1, 2], pod: ['x', 'x'] }, { Time: [1, 2], Value: [3, 4], pod: ['y', 'y'] }]);
  expect(table(frame)).toEqual({ Time: [1, 2, 1, 2], pod: ['x', 'x', 'y', 'y'], Value: [1, 2, 3, 4] });
});

test('seriesToRows puts series below each other, newest first', () => {
  const [frame] = run([series('a', [1, 2]), series('b', [3, 4])], 'seriesToRows');
  expect(table(frame)).toEqual({ Time: [2, 2, 1, 1], Metric: ['a', 'b', 'a', 'b'], Value: [2, 4, 1, 3] });
});

test('groupingToMatrix spreads a table', () => {
  const frame = makeFrame([{ name: 'day', values: ['mo', 'mo', 'tu'] }, { name: 'host', values: ['x', 'y', 'x'] }, { name: 'v', values: [1, 2, 3] }]);
  expect(table(run([frame], 'groupingToMatrix', { columnField: 'host', rowField: 'day', valueField: 'v' })[0])).toEqual({ 'day\\host': ['mo', 'tu'], x: [1, 3], y: [2, ''] });
});

test('extractFields reads JSON and key=value text', () => {
  const frame = makeFrame([{ name: 'line', values: ['{"a":1,"b":"x"}', '{"a":2}'] }]);
  expect(table(run([frame], 'extractFields', { source: 'line', format: 'json', replace: true })[0])).toEqual({ a: [1, 2], b: ['x', null] });
  expect(table(run([makeFrame([{ name: 'l', values: ['a=1 b="two words"'] }])], 'extractFields', { source: 'l', format: 'kvp', replace: true })[0])).toEqual({ a: ['1'], b: ['two words'] });
});

test('partitionByValues and prepareTimeSeries make series of a long table', () => {
  const long = makeFrame([{ name: 'Time', type: 'time', values: [1, 1, 2, 2] }, { name: 'host', values: ['x', 'y', 'x', 'y'] }, { name: 'v', values: [1, 2, 3, 4] }]);
  expect(run([long], 'partitionByValues', { fields: ['host'] }).map((f) => f.fields.at(-1)!.values)).toEqual([[1, 3], [2, 4]]);
  expect(run([long], 'prepareTimeSeries', { format: 'multi' }).map((f) => [f.fields[1].labels, f.fields[1].values])).toEqual([[{ host: 'x' }, [1, 3]], [{ host: 'y' }, [2, 4]]]);
});

test('convertFieldType and formatTime', () => {
  expect(run([makeFrame([{ name: 'a', values: ['1,000', 'x'] }])], 'convertFieldType', { conversions: [{ targetField: 'a', destinationType: 'number' }] })[0].fields[0]).toMatchObject({ type: 'number', values: [1000, null] });
  expect(run([makeFrame([{ name: 't', type: 'time', values: [0] }])], 'formatTime', { timeField: 't', outputFormat: 'YYYY-MM', timezone: 'utc' })[0].fields[0].values).toEqual(['1970-01']);
});

test('timeSeriesTable has a row a series with the series in a cell', () => {
  const [frame] = run([series('', [1, 2], { pod: 'x' }), series('', [3, 4], { pod: 'y' })], 'timeSeriesTable');
  expect(frame.fields.map((f) => f.name)).toEqual(['pod', 'Trend #A']);
  expect(frame.fields[1].values.map((v: any) => v.value)).toEqual([2, 4]);
});

test('joinByLabels turns one label into columns', () => {
  const [frame] = run([series('', [1, 2], { pod: 'x', what: 'cpu' }), series('', [3, 4], { pod: 'x', what: 'mem' })], 'joinByLabels', { value: 'what' });
  expect(table(frame)).toEqual({ pod: ['x'], cpu: [2], mem: [4] });
});

test('a step with a filter changes the frames of its query and keeps their order', () => {
  const frames = transform([byTenant('A', [1, 2]), byTenant('B', [3, 4])], [{ id: 'limit', options: { limitField: 1 }, filter: { id: 'byRefId', options: 'B' } }]);
  expect(frames.map((f) => [f.refId, f.length])).toEqual([['A', 2], ['B', 1]]);
});

test('histogram counts, for each field or together', () => {
  const frame = makeFrame([{ name: 'v', type: 'number', values: [1, 1.5, 2, 9] }, { name: 'w', type: 'number', values: [1, null] }]);
  expect(table(run([frame], 'histogram', { bucketSize: 1 })[0])).toEqual({ xMin: [1, 2, 9], xMax: [2, 3, 10], v: [2, 1, 1], w: [1, 0, 0] });
  expect(table(run([frame], 'histogram', { bucketSize: 1, combine: true })[0])).toEqual({ xMin: [1, 2, 9], xMax: [2, 3, 10], count: [3, 1, 1] });
});

test('organize orders by name or label on request, the time first', () => {
  const frame = makeFrame([{ name: 'b', values: [1] }, { name: 'time', type: 'time', values: [1] }, { name: 'a', values: [2] }]);
  expect(Object.keys(table(run([frame], 'organize', { orderByMode: 'auto', orderBy: [{ type: 'name', desc: true }] })[0]))).toEqual(['time', 'b', 'a']);
});

test('variables are filled in all options', () => {
  const [frame] = transform([byTenant('A', [1, 2])], [{ id: 'organize', options: { renameByName: { Value: '$title' } } }], (t) => t.replace('$title', 'Rate'));
  expect(Object.keys(table(frame))).toEqual(['Time', 'tenant', 'Rate']);
});
