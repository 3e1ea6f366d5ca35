import { expect, test } from 'vitest';
import { tooltipOptions, tooltipRows } from './tooltip';

const row = (name: string, value: number, active = false) => ({ name, value, active, color: '', text: '' });
const rows = [row('a', 3), row('b', 0, true), row('c', NaN), row('d', 7)];
const names = (raw: Record<string, unknown>) => tooltipRows(rows, tooltipOptions(raw)).map((r) => r.name).join('');

test('single shows the series under the pointer, even at zero; none shows nothing', () => {
  expect(names({ mode: 'single', hideZeros: true })).toBe('b');
  expect(names({ mode: 'none' })).toBe('');
  expect(names({})).toBe('b');
});

test('multi keeps the order, or sorts with what is no number last', () => {
  expect(names({ mode: 'multi' })).toBe('abcd');
  expect(names({ mode: 'multi', sort: 'asc' })).toBe('badc');
  expect(names({ mode: 'multi', sort: 'desc' })).toBe('dabc');
});

test('multi leaves zeros out on request', () => {
  expect(names({ mode: 'multi', hideZeros: true })).toBe('acd');
});

test('odd sizes are no sizes', () => {
  expect(tooltipOptions({ maxHeight: '200', maxWidth: -1 })).toMatchObject({ maxHeight: 200, maxWidth: undefined });
});
