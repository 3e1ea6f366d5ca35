import { describe, expect, test } from 'vitest';
import { describeRange, durationMs, formatDateTime, formatDuration, parseTime, relativeTime, resolveRange, stepFor } from './time';

const NOW = Date.UTC(2026, 10, 23, 14, 35, 20);
const at = (text: string, up = false, zone = 'utc') => new Date(parseTime(text, { now: NOW, up, zone })!).toISOString();

describe('relative times', () => {
  test.each([
    ['now', '2026-11-23T14:35:20.000Z'],
    ['now-6h', '2026-11-23T08:35:20.000Z'],
    ['now-1M', '2026-10-23T14:35:20.000Z'],
    ['now+1d', '2026-11-24T14:35:20.000Z'],
    ['now/d', '2026-11-23T00:00:00.000Z'],
    ['now-1d/d', '2026-11-22T00:00:00.000Z'],
    ['now/w', '2026-11-23T00:00:00.000Z'],
    ['now-1w/w', '2026-11-16T00:00:00.000Z'],
    ['now/M', '2026-11-01T00:00:00.000Z'],
    ['now/y', '2026-01-01T00:00:00.000Z'],
    ['now/h', '2026-11-23T14:00:00.000Z'],
  ])('%s', (text, expected) => expect(at(text)).toBe(expected));

  test('the end of a range is rounded up to the last millisecond', () => {
    expect(at('now/d', true)).toBe('2026-11-23T23:59:59.999Z');
    expect(at('now-1M/M', true)).toBe('2026-10-31T23:59:59.999Z');
  });

  test('days are those of the zone, across daylight saving', () => {
    const now = Date.UTC(2026, 2, 29, 12);
    expect(new Date(parseTime('now/d', { now, zone: 'Europe/Berlin' })!).toISOString()).toBe('2026-03-28T23:00:00.000Z');
    expect(new Date(parseTime('now/d', { now, up: true, zone: 'Europe/Berlin' })!).toISOString()).toBe('2026-03-29T21:59:59.999Z');
  });

  test.each(['', 'later', 'now-', 'now-1x', 'now//d', '2026-99-99x'])('%j is no time', (text) => expect(parseTime(text, { now: NOW, zone: 'utc' })).toBeNull());
});

test('absolute times: epoch ms, dates in the zone, ISO', () => {
  expect(at('1763907320000')).toBe('2025-11-23T14:15:20.000Z');
  expect(at('2026-11-23 14:00:00')).toBe('2026-11-23T14:00:00.000Z');
  expect(at('2026-11-23 14:00', false, 'America/New_York')).toBe('2026-11-23T19:00:00.000Z');
  expect(at('2026-11-23T14:00:00Z')).toBe('2026-11-23T14:00:00.000Z');
});

test('a reversed range is turned round, and nonsense becomes the last hour', () => {
  expect(resolveRange({ from: 'now', to: 'now-1h' }, NOW)).toEqual({ from: NOW - 36e5, to: NOW });
  expect(resolveRange({ from: 'x', to: 'now' }, NOW)).toEqual({ from: NOW - 36e5, to: NOW });
});

test('durations read and print', () => {
  expect(['5m', '1h30m', '90', '>1m', '100ms', '1.5h'].map(durationMs)).toEqual([3e5, 54e5, 9e4, 6e4, 100, 54e5]);
  expect(['', 'm', '5 apples'].map(durationMs)).toEqual([null, null, null]);
  expect([6e4, 9e4, 1500, 36e5, 6048e5].map(formatDuration)).toEqual(['1m', '90s', '1500ms', '1h', '1w']);
});

test('steps are nice, and never below the scrape interval', () => {
  const range = (hours: number) => ({ from: 0, to: hours * 36e5 });
  expect(stepFor(range(1), 1000, 15000)).toBe(15000);
  expect(stepFor(range(6), 1000, 15000)).toBe(20000);
  expect(stepFor(range(24), 1000, 1)).toBe(6e4);
  expect(stepFor(range(24 * 7), 600, 1)).toBe(9e5);
});

test('ranges in words', () => {
  expect(describeRange({ from: 'now-6h', to: 'now' })).toBe('Last 6 hours');
  expect(describeRange({ from: 'now-45m', to: 'now' })).toBe('Last 45 minutes');
  expect(describeRange({ from: '0', to: '60000' }, 'utc')).toBe('1970-01-01 00:00:00 to 1970-01-01 00:01:00');
  expect(relativeTime(NOW - 180000, NOW)).toBe('3 minutes ago');
  expect(formatDateTime(1763907320123, 'utc', true)).toBe('2025-11-23 14:15:20.123');
});
