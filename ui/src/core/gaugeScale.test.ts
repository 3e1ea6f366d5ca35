import { expect, test } from 'vitest';
import { singleValues } from './fieldValues';
import { makeFrame, type FieldConfig } from './frames';
import { barSpan, changeTone, scaleMarks } from './gaugeScale';

const item = (value: number, config: FieldConfig) => singleValues([makeFrame([{ name: 'v', type: 'number', values: [value], config }])], undefined, { theme: 'dark', zone: 'utc', now: 0 })[0];
const steps = [{ value: null, color: '#00ff00' }, { value: 40, color: '#ffff00' }, { value: 500, color: '#ff0000' }];

test('marks lie between the limits; what is beyond them has no length', () => {
  expect(scaleMarks(item(1, { min: 0, max: 200, thresholds: { mode: 'absolute', steps } }), 'dark')).toEqual([
    { from: 0, to: 0.2, color: '#00ff00', value: null },
    { from: 0.2, to: 1, color: '#ffff00', value: 40 },
    { from: 1, to: 1, color: '#ff0000', value: 500 },
  ]);
});

test('percentages become values of the scale', () => {
  expect(scaleMarks(item(1, { min: 100, max: 300, thresholds: { mode: 'percentage', steps } }), 'dark')[1]).toMatchObject({ from: 0.4, value: 180 });
});

test('a neutral value is where the bar begins', () => {
  expect(barSpan(item(75, { min: 0, max: 100 }))).toEqual({ from: 0, to: 0.75 });
  expect(barSpan(item(25, { min: 0, max: 100, custom: { neutral: 50 } }))).toEqual({ from: 0.25, to: 0.5 });
  expect(barSpan(item(25, { min: 0, max: 100, custom: { neutral: 900 } }))).toEqual({ from: 0.25, to: 1 });
});

test.each([[5, undefined, '▲', 'good'], [-5, 'standard', '▼', 'bad'], [5, 'inverted', '▲', 'bad'], [-5, 'inverted', '▼', 'good'], [5, 'same_as_value', '▲', 'plain'], [0, 'standard', '', 'plain']] as const)('a change of %d, %s', (percent, mode, arrow, tone) => {
  expect(changeTone(percent, mode)).toEqual({ arrow, tone });
});
