import { describe, expect, test } from 'vitest';
import { displayName } from '../displayName';
import { makeFrame, type Frame } from '../frames';
import { makeHeat } from '../heat';
import type { CountOptions } from '../heatCount';
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

const settings = makeFrame([{ name: 'Name', type: 'string', values: ['cpu', 'disk'] }, { name: 'Value', type: 'number', values: [5, 7] }, { name: 'Max', type: 'number', values: [100, null] }, { name: 'unit', type: 'string', values: ['percent', 'bytes'] }, { name: 'Host', type: 'string', values: ['a', 'b'] }, { name: 'Warn', type: 'number', values: [80, 90] }], { refId: 'config' });

describe('rowsToFields', () => {
  test('the first text names, the first number is the value, settings are found by name, the rest labels', () => {
    const [frame] = run([settings], 'rowsToFields');
    expect(frame.fields.map((f) => [f.name, f.values, f.config, f.labels])).toEqual([
      ['cpu', [5], { max: 100, unit: 'percent' }, { Host: 'a', Warn: 80 }],
      ['disk', [7], { unit: 'bytes' }, { Host: 'b', Warn: 90 }],
    ]);
  });

  test('columns that are mapped: another name, thresholds, and those that are ignored', () => {
    const [frame] = run([settings], 'rowsToFields', { mappings: [{ fieldName: 'Host', handlerKey: 'field.name' }, { fieldName: 'Warn', handlerKey: 'threshold1', handlerArguments: { threshold: { color: 'orange' } } }, { fieldName: 'Name', handlerKey: '__ignore' }] });
    expect(frame.fields[0]).toMatchObject({ name: 'a', values: [5], labels: {}, config: { max: 100, thresholds: { mode: 'absolute', steps: [{ value: 80, color: 'orange' }] } } });
  });

  test('a frame without a name or a value stays', () => {
    const frames = [makeFrame([{ name: 'a', type: 'number', values: [1] }])];
    expect(run(frames, 'rowsToFields')).toEqual(frames);
  });
});

describe('configFromData', () => {
  const data = series('load', [1, 2]);

  test('settings of another query go to numbers, and that query is gone', () => {
    const frames = run([settings, data], 'configFromData', { configRefId: 'config', mappings: [{ fieldName: 'Warn', handlerKey: 'min', reducerId: 'first' }] });
    expect(frames).toHaveLength(1);
    expect(frames[0].fields[1].config).toMatchObject({ displayNameFromDS: 'load', max: 100, min: 80, unit: 'bytes' });
    expect(frames[0].fields[0].config).toEqual({});
  });

  test('value mappings from three columns; only fields that the matcher takes', () => {
    const states = makeFrame([{ name: 'v', type: 'number', values: [0, 1] }, { name: 't', type: 'string', values: ['down', 'up'] }, { name: 'c', type: 'string', values: ['red', 'green'] }], { refId: 'B' });
    const mappings = [['v', 'mappings.value'], ['t', 'mappings.text'], ['c', 'mappings.color']].map(([fieldName, handlerKey]) => ({ fieldName, handlerKey }));
    const [frame] = run([states, data], 'configFromData', { configRefId: 'B', mappings, applyTo: { id: 'byName', options: 'load' } });
    expect(frame.fields[1].config.mappings).toEqual([{ type: 'value', options: { 0: { text: 'down', color: 'red', index: 0 }, 1: { text: 'up', color: 'green', index: 1 } } }]);
  });

  test('without that query nothing changes', () => {
    expect(run([data], 'configFromData', { configRefId: 'C' })).toEqual([data]);
  });
});

describe('heatmap', () => {
  const points = makeFrame([{ name: 'Time', type: 'time', values: [0, 1000, 2000] }, { name: 'Value', type: 'number', values: [1, 15, 15], config: { unit: 's' } }]);
  const options = { xBuckets: { mode: 'size', value: '2s' }, yBuckets: { mode: 'size', value: '10' } } satisfies CountOptions;

  test('has a row a cell, with the begins of both; empty ones count 0', () => {
    const [frame] = run([points], 'heatmap', options);
    expect(frame.meta?.type).toBe('heatmap-cells');
    expect(table(frame)).toEqual({ xMin: [0, 0, 2000, 2000], yMin: [0, 10, 0, 10], Count: [1, 1, 0, 1] });
    expect(frame.fields[1].config.unit).toBe('s');
    expect(run([points], 'heatmap', { ...options, keepOriginalData: true })).toHaveLength(2);
  });

  test('is what a heatmap panel draws: the same cells as it would have counted', () => {
    const range = { from: 0, to: 2001 };
    const counted = makeHeat([points], { calculate: true, calculation: options }, range);
    const drawn = makeHeat(run([points], 'heatmap', options), {}, range);
    expect([drawn.rows, drawn.times, drawn.stepMs]).toEqual([counted.rows, counted.times, counted.stepMs]);
    expect(drawn.counts).toEqual(counted.counts.map((row) => row.map((v) => v ?? 0)));
  });

  test('of nothing with a time and a number, nothing', () => {
    const frames = [makeFrame([{ name: 'a', values: ['x'] }])];
    expect(run(frames, 'heatmap')).toBe(frames);
  });
});
