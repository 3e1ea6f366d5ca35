import { expect, test } from 'vitest';
import { makeFrame } from './frames';
import { makeHeat } from './heat';
import { heatColors } from './heatColors';

const range = { from: 0, to: 4000 };
const series = (values: number[]) => makeFrame([{ name: 'Time', type: 'time', values: values.map((_, i) => i * 1000) }, { name: 'v', values }]);
const bucket = (le: string, values: number[]) => makeFrame([{ name: 'Time', type: 'time', values: [1000, 2000] }, { name: 'Value', labels: { le }, values }]);

test('cumulative buckets are taken apart, lowest first, in any order', () => {
  const heat = makeHeat([bucket('+Inf', [5, 9]), bucket('0.1', [1, 2]), bucket('1', [4, 4])], {}, range);
  expect(heat.rows).toEqual(['0.1', '1', '+Inf']);
  expect(heat.counts).toEqual([[1, 2], [3, 2], [1, 5]]);
  expect([heat.min, heat.max, heat.stepMs]).toEqual([1, 5, 1000]);
});

test('limits of the axis cut rows', () => {
  const frames = [bucket('0.1', [1, 2]), bucket('1', [4, 4]), bucket('10', [6, 7]), bucket('+Inf', [6, 9])];
  expect(makeHeat(frames, { yAxis: { min: 0.1, max: '10' } }, range).rows).toEqual(['1', '10']);
});

test('points are counted into even rows of the size that was asked for, in columns of the range', () => {
  const heat = makeHeat([series([1, 4, 11, 14])], { calculate: true, calculation: { yBuckets: { mode: 'size', value: '5' }, xBuckets: { mode: 'size', value: '2s' } } }, range);
  expect([heat.rows, heat.times, heat.counts]).toEqual([['5', '10', '15'], [2000, 4000], [[2, null], [null, null], [null, 2]]]);
});

test('rows by powers, split; what is not above zero has no row', () => {
  const log = (value: number, values: number[]) => makeHeat([series(values)], { calculate: true, calculation: { yBuckets: { value, scale: { type: 'log', log: 10 } }, xBuckets: { mode: 'count', value: 1 } } }, range);
  expect(log(1, [1, 5, 50, -3])).toMatchObject({ rows: ['10', '100'], counts: [[2], [1]] });
  expect(log(2, [1, 5])).toMatchObject({ rows: ['3.16227766', '10'], counts: [[1], [1]] });
  expect(log(1, [-1, 0]).rows).toEqual([]);
});

test('sizes that would make millions of cells are raised', () => {
  const heat = makeHeat([series([0, 1e6])], { calculate: true, calculation: { yBuckets: { mode: 'size', value: 0.001 }, xBuckets: { mode: 'size', value: '1ms' } } }, { from: 0, to: 1e9 });
  expect(heat.rows.length).toBeLessThan(600);
  expect(heat.times.length).toBeLessThanOrEqual(2001);
});

test('a scheme runs from the page to its other end, in steps, and can be turned', () => {
  const of = (theme: 'light' | 'dark', rest = {}) => heatColors({ scheme: 'Blues', steps: 4, ...rest }, { min: 0, max: 4 }, theme);
  expect(of('light').stops).toHaveLength(4);
  expect(of('light').of(0)).toBe('rgb(247, 251, 255)');
  expect(of('light').of(4)).toBe('rgb(8, 48, 107)');
  expect(of('dark').of(0)).toBe('rgb(8, 48, 107)');
  expect(of('dark', { reverse: true }).of(0)).toBe('rgb(247, 251, 255)');
  expect(of('light').of(0.9)).toBe(of('light').of(0));
  expect(of('light').of(1.1)).not.toBe(of('light').of(0));
});

test('limits of the colours hold over those of the data', () => {
  const colors = heatColors({ scheme: 'Greys', min: 10, max: 20 }, { min: 0, max: 4 }, 'light');
  expect([colors.of(5), colors.of(25)]).toEqual(['rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
});

test('opacity: linear, or by a power that lifts the small ones', () => {
  const alpha = (options: object) => Number(/[\d.]+(?=\)$)/.exec(heatColors({ mode: 'opacity', fill: '#ff0000', ...options }, { min: 0, max: 100 }, 'dark').of(24))![0]);
  expect(alpha({ scale: 'linear' })).toBe(0.25);
  expect(alpha({ scale: 'exponential', exponent: 0.5 })).toBe(0.5);
});
