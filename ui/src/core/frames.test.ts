import { describe, expect, test } from 'vitest';
import { displayName } from './displayName';
import { makeDisplay } from './display';
import { applyFieldConfig } from './fieldConfig';
import { decodeFrame, makeFrame, type ThresholdsConfig } from './frames';
import { alignSeries, bridgeGaps, stackSeries } from './series';

const CONTEXT = { theme: 'dark', zone: 'utc', now: 0 } as const;

test('a frame from the wire has its NaN and infinities back', () => {
  const frame = decodeFrame({ schema: { fields: [{ name: 'Time', type: 'time' }, { name: 'Value', type: 'number' }] }, data: { values: [[1, 2, 3, 4], [1, null, null, null]], entities: [null, { NaN: [1], Inf: [2], NegInf: [3] }] } });
  expect(frame.fields[1].values).toEqual([1, NaN, Infinity, -Infinity]);
  expect(frame.length).toBe(4);
});

describe('names', () => {
  const named = (labels: Record<string, string>, config = {}) => {
    const frame = makeFrame([{ name: 'Time', type: 'time', values: [1] }, { name: 'Value', values: [1], labels, config }]);
    return displayName(frame.fields[1], frame, [frame]);
  };
  test('the legend of the datasource wins over labels', () => expect(named({ a: 'b' }, { displayNameFromDS: 'mine' })).toBe('mine'));
  test('an override may use labels', () => expect(named({ a: 'b' }, { displayName: 'is ${__field.labels.a}' })).toBe('is b'));
  test('an automatic legend names only what tells series apart', () => {
    const series = (a: string) => makeFrame([{ name: 'Time', type: 'time', values: [1] }, { name: 'Value', values: [1], labels: { a, job: 'x' }, config: { displayNameFromDS: `{a="${a}", job="x"}` } }]);
    const frames = [series('1'), series('2')];
    expect(frames.map((f) => displayName(f.fields[1], f, frames))).toEqual(['{a="1"}', '{a="2"}']);
    expect(displayName(frames[0].fields[1], frames[0], [frames[0]])).toBe('{a="1", job="x"}');
  });
  test('several labels are written out', () => expect(named({ __name__: 'up', a: 'b', c: 'd' })).toBe('up {a="b", c="d"}'));
  test('a single distinguishing label is enough', () => expect(named({ a: 'b' })).toBe('b'));
});

test('overrides apply in order, by name, regex, type and query, to nested settings too', () => {
  const frames = [makeFrame([{ name: 'Time', type: 'time', values: [1] }, { name: 'cpu', values: [1] }], { refId: 'B' })];
  const [frame] = applyFieldConfig(frames, {
    defaults: { unit: 's', custom: { lineWidth: 2 } },
    overrides: [
      { matcher: { id: 'byRegexp', options: '/^c/' }, properties: [{ id: 'unit', value: 'bytes' }] },
      { matcher: { id: 'byName', options: 'cpu' }, properties: [{ id: 'custom.stacking', value: { mode: 'normal' } }, { id: 'displayName', value: 'CPU' }] },
      { matcher: { id: 'byFrameRefID', options: 'B' }, properties: [{ id: 'decimals', value: 3 }] },
      { matcher: { id: 'byName', options: 'other' }, properties: [{ id: 'unit', value: 'none' }] },
    ],
  });
  expect(frame.fields[1].config).toMatchObject({ unit: 'bytes', displayName: 'CPU', decimals: 3, custom: { lineWidth: 2, stacking: { mode: 'normal' } } });
  expect(frames[0].fields[1].config).toEqual({});
});

test('an override cannot reach into prototypes', () => {
  applyFieldConfig([makeFrame([{ name: 'a', values: [1] }])], { defaults: {}, overrides: [{ matcher: { id: 'byName', options: 'a' }, properties: [{ id: '__proto__.polluted', value: true }, { id: 'constructor.prototype.polluted', value: true }] }] });
  expect(({} as any).polluted).toBeUndefined();
});

describe('display', () => {
  const show = (value: unknown, config = {}) => makeDisplay(makeFrame([{ name: 'v', type: 'number', values: [value], config }]).fields[0], CONTEXT)(value);
  const thresholds: ThresholdsConfig = { mode: 'absolute', steps: [{ value: null, color: '#00ff00' }, { value: 10, color: '#ff0000' }] };

  test('thresholds colour from their value on', () => {
    const config = { thresholds, color: { mode: 'thresholds' } };
    expect([9.99, 10, 11].map((v) => show(v, config).color)).toEqual(['#00ff00', '#ff0000', '#ff0000']);
  });
  test('percentage thresholds refer to min and max', () => {
    const config = { min: 0, max: 200, color: { mode: 'thresholds' }, thresholds: { mode: 'percentage', steps: [{ value: null, color: '#00ff00' }, { value: 50, color: '#ff0000' }] } };
    expect([99, 100].map((v) => show(v, config).color)).toEqual(['#00ff00', '#ff0000']);
  });
  test('mappings: value, range, regex, special', () => {
    const mappings = [
      { type: 'value', options: { '1': { text: 'one', color: '#111111' } } },
      { type: 'range', options: { from: 5, to: null, result: { text: 'many' } } },
      { type: 'special', options: { match: 'null+nan', result: { text: 'none' } } },
    ];
    expect([1, 2, 7, null, NaN].map((v) => show(v, { mappings }).text)).toEqual(['one', '2', 'many', 'none', 'none']);
    expect(show(1, { mappings }).color).toBe('#111111');
    const text = makeDisplay(makeFrame([{ name: 's', values: ['web-1'], config: { mappings: [{ type: 'regex', options: { pattern: 'web-(\\d)', result: { text: 'W$1' } } }] } }]).fields[0], CONTEXT);
    expect(text('web-1').text).toBe('W1');
  });
  test('what is absent shows noValue', () => expect(show(null, { noValue: '-' }).text).toBe('-'));
});

describe('series', () => {
  const frame = (times: number[], values: (number | null)[], interval?: number) => makeFrame([{ name: 'Time', type: 'time', values: times, config: { interval } }, { name: 'v', type: 'number', values }]);

  test('series of one grid share its column', () => {
    const times = [1, 2, 3];
    const aligned = alignSeries([frame(times, [1, 2, 3]), frame([1, 2, 3], [4, 5, 6])]);
    expect(aligned.times).toBe(times);
    expect(aligned.columns).toEqual([[1, 2, 3], [4, 5, 6]]);
  });
  test('different grids are joined; what is missing is undefined, not a gap', () => {
    const aligned = alignSeries([frame([1, 3], [1, 3]), frame([2, 3], [20, 30])]);
    expect(aligned.times).toEqual([1, 2, 3]);
    expect(aligned.columns).toEqual([[1, undefined, 3], [undefined, 20, 30]]);
  });
  test('an absent sample is a gap', () => expect(alignSeries([frame([10, 20, 50, 60], [1, 2, 5, 6], 10)])).toMatchObject({ times: [10, 20, 30, 50, 60], columns: [[1, 2, null, 5, 6]] }));
  test('infinite values are not drawn', () => expect(alignSeries([frame([1, 2], [Infinity, 2])]).columns).toEqual([[null, 2]]));
  test('gaps below the threshold are bridged', () => expect(bridgeGaps([0, 10, 20, 30, 100, 200], [1, null, 3, null, null, 4], 50)).toEqual([1, undefined, 3, null, null, 4]));
  test('stacks add up, negatives downwards, percent to one', () => {
    const on = { group: 'A', percent: false };
    expect(stackSeries([[1, 2], [3, null], [-1, -1]], [on, on, on])).toEqual({ columns: [[1, 2], [4, 2], [-1, -1]], bands: [[1, 0]] });
    expect(stackSeries([[1], [3]], [{ group: 'A', percent: true }, { group: 'A', percent: true }]).columns).toEqual([[0.25], [1]]);
  });
});
