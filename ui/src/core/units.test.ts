import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatValue, toFixed, unitFormatter } from './units';

const CONTEXT = { zone: 'utc', now: Date.UTC(2026, 10, 23, 12) };

interface Recorded {
  decimals: (number | null)[];
  values: number[];
  /** Texts by unit id: one list a number of decimals, one text a value; null where we mean to differ. */
  texts: Record<string, (string | null)[][]>;
}

const recorded: Recorded = JSON.parse(readFileSync(new URL('./fixtures/grafana-units.json', import.meta.url), 'utf8'));

describe('as Grafana prints it', () => {
  test.each(Object.entries(recorded.texts))('%s', (id, lists) => {
    const ours = recorded.decimals.map((decimals, d) => recorded.values.map((value, v) => (lists[d][v] === null ? null : formatValue(value, id, decimals, CONTEXT))));
    expect(ours).toEqual(lists);
  });
});

test('what is no number', () => {
  expect([NaN, Infinity, -Infinity].map((v) => toFixed(v))).toEqual(['NaN', '∞', '-∞']);
  expect(toFixed(-0.0001, 2)).toBe('0.00');
});

test('times', () => {
  const show = (id: string, ms: number) => formatValue(ms, id, null, CONTEXT);
  expect(show('dateTimeAsIso', 0)).toBe('1970-01-01 00:00:00');
  expect(show('dateTimeFromNow', CONTEXT.now - 7200000)).toBe('2 hours ago');
  expect(show('time:YYYY/MM/DD', 0)).toBe('1970/01/01');
});

test('the parts are apart, for large numbers with small units', () => expect(unitFormatter('bytes')(1536, null, CONTEXT)).toEqual({ text: '1.50', suffix: ' KiB' }));
