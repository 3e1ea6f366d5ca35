import { describe, expect, test } from 'vitest';
import { findDatasource } from './findDatasource';
import { findPanel, packed, parseDashboard, repeatSections, sections } from './dashboard';
import { makeHeat } from './heat';
import { dedupRows, levelOf, lineFields, logRows, logVolume } from './logs';
import { safeUrl } from './links';
import { makeFrame } from './frames';
import { buildQueries } from './panelQuery';
import { errorPosition } from './queryError';
import { calculation } from './reduce';
import { stateRows } from './states';
import { tiles } from './tiles';

test('links from data: nothing but http, https, mailto and this site', () => {
  expect(['https://x/a', 'http://x', '/d/abc?x=1', 'relative', '#x'].map(safeUrl)).toEqual(['https://x/a', 'http://x', '/d/abc?x=1', 'relative', '#x']);
  expect(['javascript:alert(1)', ' JaVaScRiPt:alert(1)', 'java\nscript:alert(1)', '\u0001javascript:x', 'data:text/html,x', 'vbscript:x', ''].map(safeUrl)).toEqual(new Array(7).fill(undefined));
});

describe('dashboards', () => {
  test('anything odd in the JSON becomes a default', () => {
    for (const raw of [null, {}, { panels: 'x', templating: { list: null }, time: 5 }, { panels: [null, { type: 5, gridPos: 'x', targets: {} }] }]) expect(() => parseDashboard(raw)).not.toThrow();
    expect(parseDashboard({}).time).toEqual({ from: 'now-6h', to: 'now' });
  });
  const model = parseDashboard({
    panels: [
      { id: 1, type: 'stat', gridPos: { x: 0, y: 0, w: 6, h: 4 } },
      { id: 2, type: 'row', gridPos: { x: 0, y: 4, w: 24, h: 1 }, repeat: 'job', title: 'Job $job' },
      { id: 3, type: 'stat', gridPos: { x: 0, y: 5, w: 24, h: 4 }, repeat: 'host', maxPerRow: 2 },
      { id: 4, type: 'row', gridPos: { x: 0, y: 9, w: 24, h: 1 }, collapsed: true, panels: [{ id: 5, type: 'table', gridPos: { x: 0, y: 10, w: 24, h: 4 } }] },
    ],
  });
  test('panels stand under their rows', () => expect(sections(model.panels).map((s) => [s.row?.id, s.panels.map((p) => p.id)])).toEqual([[undefined, [1]], [2, [3]], [4, [5]]]));
  test('rows and panels repeat', () => {
    const values: Record<string, string[]> = { job: ['a', 'b'], host: ['x', 'y', 'z'] };
    const repeated = repeatSections(sections(model.panels), (name) => values[name].map((v) => ({ text: v, value: v })));
    expect(repeated.map((s) => s.panels.length)).toEqual([1, 3, 3, 1]);
    expect(repeated[1].panels.map((p) => [p.gridPos.x, p.gridPos.y, p.gridPos.w])).toEqual([[0, 5, 12], [12, 5, 12], [0, 9, 12]]);
    expect(new Set(repeated.flatMap((s) => s.panels.map((p) => p.key))).size).toBe(8);
    expect(repeated[2].panels[0].scopedVars!.get('job')!.value).toBe('b');
  });
  test('gaps close', () => expect(packed(model.panels.filter((p) => p.type === 'stat')).map((p) => p.gridPos.y)).toEqual([0, 4]));
  test('a panel is found inside a collapsed row', () => expect(findPanel(model.panels, 5)?.type).toBe('table'));
});

describe('panel queries', () => {
  const settings = { range: { from: 0, to: 36e5 }, scope: new Map([['job', { value: ['a', 'b'] }]]), widthPx: 800, resolve: (ref: { uid?: string } | undefined) => (ref?.uid === 'nope' ? undefined : { uid: ref?.uid ?? 'prom', type: 'prometheus', timeInterval: '15s' }), dashboard: 'D', user: 'u', zone: 'utc' };
  const panel = (raw: object) => parseDashboard({ panels: [{ id: 1, datasource: { uid: 'prom', type: 'prometheus' }, ...raw }] }).panels[0];

  test('variables, interval and hidden targets', () => {
    const { queries } = buildQueries(panel({ targets: [{ refId: 'A', expr: 'rate(x{job=~"$job"}[$__rate_interval])' }, { refId: 'B', expr: 'y', hide: true }] }), settings);
    expect(queries).toMatchObject([{ refId: 'A', expr: 'rate(x{job=~"(a|b)"}[1m])', intervalMs: 15000, maxDataPoints: 800, range: true, instant: false }]);
  });
  test('a missing datasource is named', () => expect(buildQueries(panel({ targets: [{ expr: 'x', datasource: { uid: 'nope' } }] }), settings).errors[0].message).toContain('"nope"'));
  test('time override and shift', () => expect(buildQueries(panel({ targets: [], timeFrom: '10m', timeShift: '1h' }), settings).range).toEqual({ from: 36e5 - 6e5 - 36e5, to: 0 }));
});

describe('logs', () => {
  test('levels from labels, JSON, logfmt, words', () => {
    expect([levelOf({ level: 'WARN' }, ''), levelOf({}, '{"level":"fatal"}'), levelOf({}, 'level=debug x'), levelOf({}, 'ERROR: x'), levelOf({}, 'hello')]).toEqual(['warn', 'critical', 'debug', 'error', 'unknown']);
  });
  const frame = (lines: string[], ns: string[]) => makeFrame([{ name: 'labels', type: 'other', values: lines.map(() => ({ job: 'x' })) }, { name: 'Time', type: 'time', values: ns.map((n) => Number(n) / 1e6) }, { name: 'Line', values: lines }, { name: 'tsNs', values: ns }]);
  test('rows are in order to the nanosecond', () => {
    const rows = logRows([frame(['a', 'c'], ['1763907320000000001', '1763907320000000003']), frame(['b'], ['1763907320000000002'])], 'Descending');
    expect(rows.map((r) => r.line)).toEqual(['c', 'b', 'a']);
    expect(rows[0].labels).toEqual({ job: 'x' });
  });
  test('repeats', () => {
    const rows = logRows([frame(['id 1', 'id 2', 'x', 'x'], ['4', '3', '2', '1'])], 'Descending');
    expect(dedupRows(rows, 'exact').map((r) => r.repeats)).toEqual([1, 1, 2]);
    expect(dedupRows(rows, 'numbers').map((r) => r.repeats)).toEqual([2, 2]);
  });
  test('fields in the line', () => {
    expect(lineFields('{"a":1,"b":{"c":2}}')).toEqual([['a', '1'], ['b', '{"c":2}']]);
    expect(lineFields('a=1 b="two words" c')).toEqual([['a', '1'], ['b', 'two words']]);
  });
  test('volume counts every row once', () => {
    const rows = logRows([frame(['x', 'y', 'z'], ['0000000', '5000000', '9000000'])]);
    expect([...logVolume(rows, 0, 10, 2).counts.values()]).toEqual([[1, 2]]);
  });
});

test('positions in error messages', () => {
  expect(errorPosition('invalid parameter "query": 1:5: parse error: x', 'sum(boom')).toEqual({ from: 4, to: 8 });
  expect(errorPosition('parse error at line 2, col 3: x', 'a\nb cd')).toEqual({ from: 4, to: 6 });
  expect(errorPosition('timeout', 'x')).toBeUndefined();
  expect(errorPosition('1:99: parse error', 'abc')).toEqual({ from: 2, to: 3 });
});

test('calculations pass over what is absent', () => {
  const of = (id: string) => calculation(id)!.of([null, 4, NaN, 1, 3, null]);
  expect(['lastNotNull', 'last', 'first', 'min', 'max', 'mean', 'sum', 'range', 'delta', 'diff', 'count', 'avg', 'current', 'p50'].map(of)).toEqual([3, null, null, 1, 4, 8 / 3, 8, 3, 0, -1, 4, 8 / 3, 3, 3]);
  expect(calculation('min')!.of([])).toBeNull();
});

test('cumulative Prometheus buckets come apart', () => {
  const bucket = (le: string, values: number[]) => makeFrame([{ name: 'Time', type: 'time', values: [1, 2] }, { name: 'Value', type: 'number', values, labels: { le } }]);
  expect(makeHeat([bucket('+Inf', [9, 4]), bucket('1', [3, 4]), bucket('2', [7, 4])], {}, { from: 0, to: 2 })).toMatchObject({ rows: ['1', '2', '+Inf'], counts: [[3, 4], [4, 0], [2, 0]], max: 4 });
});

test('equal neighbours are one state; a gap is empty', () => {
  const frame = makeFrame([{ name: 'Time', type: 'time', values: [0, 10, 20, 50], config: { interval: 10 } }, { name: 'v', type: 'number', values: [1, 1, 0, 0] }]);
  const [row] = stateRows([frame], { theme: 'dark', zone: 'utc', now: 0 }, 60, true);
  expect(row.spans.map((s) => [s.from, s.to, s.text])).toEqual([[0, 20, '1'], [20, 35, '0'], [50, 60, '0']]);
});

test('tiles fill the panel', () => {
  expect(tiles(4, 400, 200, 'auto').columns).toBe(2);
  expect(tiles(3, 900, 100, 'auto').columns).toBe(3);
  expect(tiles(3, 100, 900, 'horizontal')).toMatchObject({ columns: 1, rows: 3 });
});

test('datasources by uid, name, name in any case, type, default', () => {
  const all = [{ uid: 'P1', name: 'Prometheus', type: 'prometheus', isDefault: true }, { uid: 'L1', name: 'Loki', type: 'loki' }];
  const find = (ref: object | undefined) => findDatasource(all, ref)?.uid;
  expect([{ uid: 'L1' }, { uid: 'Loki' }, { uid: 'loki', type: 'loki' }, { type: 'loki' }, {}, undefined].map(find)).toEqual(['L1', 'L1', 'L1', 'L1', 'P1', 'P1']);
  expect([{ uid: 'gone', type: 'loki' }, { uid: 'loki', type: 'prometheus' }].map(find)).toEqual([undefined, undefined]);
});
