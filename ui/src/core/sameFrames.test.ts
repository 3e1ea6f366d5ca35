import { expect, test } from 'vitest';
import { parseDashboard } from './dashboard';
import { makeFrame } from './frames';
import { buildQueries } from './panelQuery';
import { sameFrames } from './sameFrames';

const frames = (values: unknown[], labels: Record<string, string> = { a: 'b' }, stats = 1) => [makeFrame([{ name: 'Value', type: 'number', values: values as any[], labels }], { refId: 'A', meta: { stats: [{ displayName: 'x', value: stats }] } })];

test('the same answer twice', () => {
  expect(sameFrames(frames([1, NaN, null]), frames([1, NaN, null], { a: 'b' }, 2))).toBe(true);
  expect(sameFrames(frames([{ a: 1 }]), frames([{ a: 1 }]))).toBe(true);
});
test.each([[frames([1, 2])], [frames([2])], [frames([1], { a: 'c' })], [[]]])('another answer', (other) => expect(sameFrames(frames([1]), other)).toBe(false));

test('a panel may show what another one asks for; cycles end with words', () => {
  const reuse = (id: number, of: number) => ({ id, targets: [{ refId: 'A', panelId: of }], datasource: { uid: '-- Dashboard --' } });
  const { panels } = parseDashboard({ panels: [{ id: 1, datasource: { uid: 'p' }, targets: [{ refId: 'A', expr: 'up' }, { refId: 'B', expr: 'down' }] }, reuse(2, 1), reuse(3, 4), reuse(4, 3), reuse(5, 9)] });
  const built = (i: number) => buildQueries(panels[i], { range: { from: 0, to: 36e5 }, scope: new Map(), widthPx: 500, resolve: () => ({ uid: 'p', type: 'prometheus' }), panelById: (id) => panels.find((p) => p.id === id), dashboard: '', user: '', zone: 'utc' });
  expect(built(1).queries.map((q) => q.expr)).toEqual(['up', 'down']);
  expect(built(2).errors.map((e) => e.message)).toEqual(['Panels 3, 4 show each other']);
  expect(built(4).errors.map((e) => e.message)).toEqual(['There is no panel 9 to take the result of']);
});
