import { expect, test } from 'vitest';
import { colorScale } from '../../core/colors';
import { makeFrame, type FieldConfig } from '../../core/frames';
import { buildGraph, type GraphSettings } from './graphOptions';
import { schemeStops } from './gradients';
import { valueRange } from './valueAxes';

const path = (() => null) as never;
const settings: GraphSettings = { range: { from: 0, to: 3000 }, zone: 'utc', theme: 'dark', tokens: { grid: 'g', axis: 'a', font: 'f', surface: 's' }, height: 300, paths: { linear: path, spline: path, stepBefore: path, stepAfter: path, bars: () => path, points: path }, tzDate: (ms) => new Date(ms), hidden: new Set() };
const series = (name: string, values: (number | null)[], config: FieldConfig = {}, refId = 'A') => makeFrame([{ name: 'Time', type: 'time', values: [0, 1000, 2000, 3000] }, { name, type: 'number', values, config }], { refId });
const graph = (...frames: ReturnType<typeof series>[]) => buildGraph(frames, settings);
const axes = (g: ReturnType<typeof graph>) => g.options.axes!.slice(1);
const ticks = (g: ReturnType<typeof graph>, values: number[], i = 0) => (axes(g)[i].values as (u: unknown, splits: number[]) => string[])(null, values);

test('series of one unit share an axis; another unit stands right; hidden ones are not shown', () => {
  const g = graph(series('a', [1, 2, 3, 4], { unit: 's' }), series('b', [1, 1, 1, 1], { unit: 's' }), series('c', [5, 5, 5, 5], { unit: 'bytes' }), series('d', [5, 5, 5, 5], { custom: { axisPlacement: 'hidden' } }));
  expect(axes(g).map((a) => [a.side, a.show])).toEqual([[3, true], [1, true], [3, false]]);
});

test('stacking to 100 % gives shares, on an axis of percent', () => {
  const custom = { stacking: { mode: 'percent', group: 'A' } };
  const g = graph(series('a', [1, 1, null, 3], { unit: 'reqps', custom }), series('b', [3, 1, null, 1], { unit: 'reqps', custom }));
  expect(g.data[1]).toEqual([0.25, 0.5, null, 0.75]);
  expect(g.data[2]).toEqual([1, 1, null, 1]);
  expect(ticks(g, [0, 0.5, 1])).toEqual(['0%', '50%', '100%']);
  // The tooltip still has the values themselves.
  expect(g.series[0].display.text(g.series[0].values[0])).toBe('1 req/s');
});

test('groups of stacks stand apart', () => {
  const g = graph(series('a', [1, 1, 1, 1], { custom: { stacking: { mode: 'normal', group: 'A' } } }), series('b', [2, 2, 2, 2], { custom: { stacking: { mode: 'normal', group: 'B' } } }), series('c', [4, 4, 4, 4], { custom: { stacking: { mode: 'normal', group: 'A' } } }));
  expect([g.data[1][0], g.data[2][0], g.data[3][0]]).toEqual([1, 2, 5]);
});

test('distributions: logarithmic to either base, and symlog with its straight stretch', () => {
  const scale = (scaleDistribution: unknown) => Object.values(graph(series('a', [3, 50, 700, 9], { custom: { scaleDistribution } })).options.scales!).at(-1)!;
  expect(scale({ type: 'log', log: 2 })).toMatchObject({ distr: 3, log: 2 });
  expect(scale({ type: 'log', log: 10 })).toMatchObject({ distr: 3, log: 10 });
  expect(scale({ type: 'symlog', log: 10, linearThreshold: 5 })).toMatchObject({ distr: 4, asinh: 5 });
  expect(scale({ type: 'linear' })).not.toHaveProperty('distr');
});

test.each([
  ['whole powers of ten', [3, 700, {}, {}, 10], [1, 1000]],
  ['whole powers of two', [3, 700, {}, {}, 2], [2, 1024]],
  ['soft ends on a log axis', [3, 700, {}, { axisSoftMin: 0.5, axisSoftMax: 20000 }, 10], [0.1, 100000]],
  ['nothing above zero', [-5, 0, {}, {}, 10], [0.001, 1]],
  ['fixed ends', [3, 700, { min: 0, max: 100 }, {}, 0], [0, 100]],
  ['soft ends hold until the data goes beyond', [20, 30, {}, { axisSoftMin: 0, axisSoftMax: 100 }, 0], [0, 100]],
  ['soft ends that the data passed', [-20, 300, {}, { axisSoftMin: 0, axisSoftMax: 100 }, 0], [-45.6, 325.6]],
  ['zero in the middle', [-10, 40, {}, { axisCenteredZero: true }, 0], [-44, 44]],
  ['one value', [5, 5, {}, {}, 0], [0, 8.1]],
  ['values as large as there are', [-1e308, 1e308, {}, {}, 0], [-8e307, 8e307]],
  ['no value', [null, null, {}, {}, 0], [0, 1.08]],
] as const)('limits: %s', (_name, [min, max, fixed, custom, base], expected) => {
  valueRange(min, max, fixed, custom, base).forEach((v, i) => expect(v / (Math.abs(expected[i]) || 1)).toBeCloseTo(Math.sign(expected[i]), 6));
});

test('ticks that a logarithmic axis leaves without a number stay so', () => {
  expect(ticks(graph(series('a', [3, 50, 700, 9], { unit: 's', custom: { scaleDistribution: { type: 'log', log: 10 } } })), [1, null as never, 10])).toEqual(['1 s', '', '10 s']);
});

test('axis settings: colour of the series, border, grid, label, width', () => {
  const [axis] = axes(graph(series('a', [1, 2, 3, 4], { color: { mode: 'fixed', fixedColor: '#ff0000' }, custom: { axisColorMode: 'series', axisBorderShow: true, axisGridShow: false, axisLabel: 'Rate' } })));
  expect(axis).toMatchObject({ stroke: '#ff0000', border: { show: true, stroke: '#ff0000' }, grid: { show: false }, label: 'Rate' });
});

test('nulls: lines through them, gaps, or bridged up to a length', () => {
  const values = [1, null, null, 4];
  const drawn = (spanNulls: unknown) => graph(series('a', values, { custom: { spanNulls } }));
  expect(drawn(true).options.series[1].spanGaps).toBe(true);
  expect(drawn(false).data[1]).toEqual(values);
  expect(drawn(2500).data[1]).toEqual(values);
  expect(drawn(3500).data[1]).toEqual([1, undefined, undefined, 4]);
});

test('fill below to another series; line styles; bars', () => {
  const g = graph(series('max', [4, 4, 4, 4], { custom: { fillBelowTo: 'min', fillOpacity: 20, lineStyle: { fill: 'dash', dash: [8, 4] } } }), series('min', [1, 1, 1, 1], { custom: { lineStyle: { fill: 'dot' }, drawStyle: 'bars' } }));
  expect(g.options.bands).toMatchObject([{ series: [1, 2] }]);
  expect(g.options.series.slice(1).map((s) => [s.dash, s.cap])).toEqual([[[8, 4], undefined], [[0, 8], 'round']]);
});

test('a scheme colours heights: thresholds change at once, continuous ones run', () => {
  const place = (v: number) => v / 100;
  const thresholds = { mode: 'absolute' as const, steps: [{ value: null, color: '#00ff00' }, { value: 40, color: '#ff0000' }, { value: 500, color: '#0000ff' }] };
  const stepped: FieldConfig = { color: { mode: 'thresholds' }, thresholds };
  expect(schemeStops(colorScale(stepped, 'a', 0, 'dark', { min: 0, max: 100 }), stepped, 0, 100, place)).toEqual([{ at: 0, color: '#00ff00' }, { at: 0.4, color: '#00ff00' }, { at: 0.4, color: '#ff0000' }, { at: 1, color: '#ff0000' }]);
  const running: FieldConfig = { color: { mode: 'continuous-GrYlRd' } };
  const stops = schemeStops(colorScale(running, 'a', 0, 'dark', { min: 0, max: 100 }), running, 0, 100, place);
  expect([stops.length, stops[0].at, stops.at(-1)!.at]).toEqual([17, 0, 1]);
  expect(new Set(stops.map((s) => s.color)).size).toBe(17);
});

test('thresholds of percentages lie between min and max', () => {
  const g = graph(series('a', [1, 2, 3, 4], { min: 0, max: 200, custom: { thresholdsStyle: { mode: 'dashed+area' } }, thresholds: { mode: 'percentage', steps: [{ value: null, color: 'green' }, { value: 50, color: 'red' }] } }));
  expect(g.thresholds).toMatchObject([{ line: true, dashed: true, area: true, steps: [{ value: -Infinity }, { value: 100 }] }]);
  expect(graph(series('a', [1, 2, 3, 4], { custom: { thresholdsStyle: { mode: 'series' } }, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }] } })).thresholds).toEqual([]);
});

test('every further time zone has an axis of its own', () => {
  const g = buildGraph([series('a', [1, 2, 3, 4])], { ...settings, moreZones: ['Asia/Tokyo'] });
  expect(g.options.axes).toHaveLength(3);
  expect(g.options.axes![1].label).toBe('Asia/Tokyo');
});
