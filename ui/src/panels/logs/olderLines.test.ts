import { expect, test } from 'vitest';
import { makeFrame } from '../../core/frames';
import { logRows } from '../../core/logs';
import { isCut, OlderLines } from './olderLines.svelte';

const frame = (lines: [ms: number, text: string][], limit = 2) => makeFrame([{ name: 'Time', type: 'time', values: lines.map(([t]) => t) }, { name: 'Line', type: 'string', values: lines.map(([, text]) => text) }], { meta: { limit } });
const newest = logRows([frame([[90, 'e'], [80, 'd']])]);
const texts = (older: OlderLines) => older.rows.map((r) => r.line).join('');

test('older lines are asked for up to the oldest that is here; the one where both meet comes once', async () => {
  const asked: number[][] = [];
  const answers = [[frame([[80, 'd'], [80, 'c'], [70, 'b']])], [frame([[70, 'b'], [60, 'a']])], [frame([[60, 'a']])]];
  const ask = async (range: { from: number; to: number }) => (asked.push([range.from, range.to]), answers[asked.length - 1]);
  const older = new OlderLines();
  for (let i = 0; i < 4; i++) await older.more(ask, newest, { from: 10, to: 100 });
  expect(asked).toEqual([[10, 81], [10, 71], [10, 61]]);
  expect(texts(older)).toBe('cba');
  expect(older.state).toBe('end');
  expect(new Set([...newest, ...older.rows].map((r) => r.key)).size).toBe(5);
});

test('a new answer begins anew, and what was on its way is not taken', async () => {
  const older = new OlderLines();
  let answer: (frames: ReturnType<typeof frame>[]) => void = () => {};
  const asking = older.more(() => new Promise((done) => (answer = done)), newest, { from: 10, to: 100 });
  expect(older.state).toBe('asking');
  older.restart();
  answer([frame([[70, 'late']])]);
  await asking;
  expect([texts(older), older.state]).toEqual(['', 'waiting']);
});

test('a failure is said, and not tried again by itself', async () => {
  const older = new OlderLines();
  await older.more(() => Promise.reject(new Error('too many lines')), newest, { from: 10, to: 100 });
  expect([older.error, older.state]).toEqual(['too many lines', 'end']);
});

test('nothing is asked for where the answer reaches the begin of the range', async () => {
  const older = new OlderLines();
  await older.more(() => Promise.reject(new Error('asked')), newest, { from: 80, to: 100 });
  expect([older.error, older.state]).toEqual(['', 'end']);
});

test('only an answer as long as its limit may lack lines', () => {
  expect(isCut([frame([[1, 'a'], [2, 'b']])])).toBe(true);
  expect(isCut([frame([[1, 'a']])])).toBe(false);
});
