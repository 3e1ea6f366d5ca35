import { expect, test } from 'vitest';
import { criticalPath } from './criticalPath';
import { makeFrame } from './frames';
import { formatDuration, isTraceFrame, matchingSpans, parseTrace, shownSpans } from './traces';

type Row = [id: string, parent: string, start: number, duration: number, rest?: Record<string, unknown>];

function frame(rows: Row[]) {
  const column = (name: string, absent: unknown = null) => ({ name, values: rows.map((r) => r[4]?.[name] ?? absent) });
  return makeFrame([
    { name: 'traceID', values: rows.map(() => 't') },
    { name: 'spanID', values: rows.map((r) => r[0]) },
    { name: 'parentSpanID', values: rows.map((r) => r[1]) },
    { name: 'startTime', type: 'number', values: rows.map((r) => r[2]) },
    { name: 'duration', type: 'number', values: rows.map((r) => r[3]) },
    column('serviceName', 'web'),
    column('operationName', 'op'),
    column('statusCode', 0),
    { ...column('tags'), type: 'other' },
    { ...column('logs'), type: 'other' },
  ]);
}

const rows: Row[] = [
  ['c', 'a', 50, 40, { serviceName: 'db', tags: [{ key: 'db.system', value: 'postgres' }] }],
  ['a', '', 0, 100],
  ['b', 'a', 10, 20, { statusCode: 2, logs: [{ timestamp: 12, name: 'boom', fields: [{ key: 'level', value: 'error' }] }] }],
  ['d', 'b', 12, 5],
  ['orphan', 'gone', 5, 1],
];

test('a waterfall is depth first, children by start, spans without a known parent are roots', () => {
  const trace = parseTrace(frame(rows));
  expect(trace.spans.map((s) => [s.id, s.depth, s.parent, s.end])).toEqual([['a', 0, -1, 4], ['b', 1, 0, 3], ['d', 2, 1, 3], ['c', 1, 0, 4], ['orphan', 0, -1, 5]]);
  expect([trace.start, trace.duration, trace.services, trace.errors]).toEqual([0, 100, ['web', 'db'], 1]);
  expect(trace.spans[1].events).toEqual([{ time: 12, name: 'boom', fields: [{ key: 'level', value: 'error' }] }]);
});

test('parents in a circle lose no span', () => {
  expect(parseTrace(frame([['a', 'b', 1, 1], ['b', 'a', 2, 1], ['c', 'c', 3, 1]])).spans.map((s) => [s.id, s.depth])).toEqual([['c', 0], ['a', 0], ['b', 1]]);
});

test('a chain of fifty thousand spans is no matter', () => {
  const trace = parseTrace(frame(Array.from({ length: 50_000 }, (_, i): Row => [`s${i}`, i ? `s${i - 1}` : '', i, 50_000 - i])));
  expect(trace.spans.at(-1)).toMatchObject({ depth: 49_999, end: 50_000 });
  expect(shownSpans(trace, new Set(['s2']))).toEqual([0, 1, 2]);
});

test('closed spans hide what is below them', () => {
  const trace = parseTrace(frame(rows));
  expect(shownSpans(trace, new Set(['b'])).map((i) => trace.spans[i].id)).toEqual(['a', 'b', 'c', 'orphan']);
  expect(shownSpans(trace, new Set(['a', 'b'])).map((i) => trace.spans[i].id)).toEqual(['a', 'orphan']);
});

test('errors come from the status, or without one from tags', () => {
  const of = (rest: Record<string, unknown>) => parseTrace(frame([['a', '', 0, 1, rest]])).errors;
  expect(of({ statusCode: 2 })).toBe(1);
  expect(of({ statusCode: 1, tags: [{ key: 'error', value: true }] })).toBe(0);
  const bare = makeFrame([{ name: 'spanID', values: ['a', 'b'] }, { name: 'startTime', values: [0, 0] }, { name: 'duration', values: [1, 1] }, { name: 'tags', type: 'other', values: ['[{"key":"error","value":"true"}]', [{ key: 'error', value: false }]] }]);
  expect(isTraceFrame(bare)).toBe(true);
  expect(parseTrace(bare).errors).toBe(1);
});

test('spans are found by names and by tags', () => {
  const trace = parseTrace(frame(rows));
  expect(matchingSpans(trace, 'db.system=POST').map((i) => trace.spans[i].id)).toEqual(['c']);
  expect(matchingSpans(trace, 'orph').map((i) => trace.spans[i].id)).toEqual(['orphan']);
  expect(matchingSpans(trace, ' ')).toEqual([]);
});

test('the critical path goes back from the end through the child that ended last', () => {
  const trace = parseTrace(frame(rows));
  const path = criticalPath(trace);
  expect(Object.fromEntries([...path].map(([i, s]) => [trace.spans[i].id, s.map(({ from, to }) => [from, to])]))).toEqual({ a: [[90, 100], [30, 50], [0, 10]], b: [[17, 30], [10, 12]], c: [[50, 90]], d: [[12, 17]] });
  const total = [...path.values()].flat().reduce((sum, s) => sum + s.to - s.from, 0);
  expect(total).toBe(trace.duration);
});

test('an empty frame is an empty trace', () => {
  expect(parseTrace(frame([]))).toEqual({ spans: [], start: 0, duration: 0, services: [], errors: 0 });
  expect(criticalPath(parseTrace(frame([]))).size).toBe(0);
});

test.each([[0, '0 s'], [0.0004, '400 ns'], [0.0854, '85.4 µs'], [1.2356, '1.24 ms'], [999, '999 ms'], [2100, '2.1 s'], [184_000, '3 min 4 s'], [7_260_000, '2 h 1 min']])('%d ms reads %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
