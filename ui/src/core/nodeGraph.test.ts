import { expect, test } from 'vitest';
import { makeFrame } from './frames';
import { edgePath, layout } from './graphLayout';
import { makeNodeGraph } from './nodeGraph';

const context = { theme: 'dark', zone: 'utc', now: 0 } as const;
const nodes = makeFrame([
  { name: 'id', values: ['a', 'b'] },
  { name: 'title', values: ['Front', 'Back'] },
  { name: 'mainStat', values: [0.25, 2], config: { unit: 's' } },
  { name: 'arc__ok', values: [0.9, 1], config: { color: { mode: 'fixed', fixedColor: '#00ff00' } } },
  { name: 'arc__failed', values: [0.1, 0] },
  { name: 'detail__zone', values: ['eu', null], config: { displayName: 'Zone' } },
]);
const edges = makeFrame([
  { name: 'id', values: ['1', '2', '3'] },
  { name: 'source', values: ['a', 'b', 'c'] },
  { name: 'target', values: ['b', 'a', 'b'] },
  { name: 'mainstat', values: [12, 3, 4] },
  { name: 'thickness', values: [3, 0, 400] },
]);

test('nodes have titles, formatted stats, arcs that are not empty, and details', () => {
  const { nodes: found } = makeNodeGraph([nodes, edges], {}, context);
  expect(found[0]).toMatchObject({ id: 'a', title: 'Front', mainStat: '250 ms', arcs: [{ name: 'ok', share: 0.9, color: '#00ff00' }, { name: 'failed', share: 0.1 }], details: [['Zone', 'eu']] });
  expect(found[1]).toMatchObject({ mainStat: '2 s', arcs: [{ name: 'ok' }], details: [] });
});

test('nodes that only edges name are there too; edges hold indexes, and their width has limits', () => {
  const graph = makeNodeGraph([edges, nodes], { edges: { mainStatUnit: 'reqps' } }, context);
  expect(graph.nodes.map((n) => n.id)).toEqual(['a', 'b', 'c']);
  expect(graph.edges.map((e) => [e.source, e.target, e.mainStat, e.thickness])).toEqual([[0, 1, '12 req/s', 3], [1, 0, '3 req/s', 1.5], [2, 1, '4 req/s', 12]]);
});

test('what is too much is counted, with its edges left out', () => {
  const many = makeFrame([{ name: 'source', values: Array.from({ length: 700 }, (_, i) => `n${i}`) }, { name: 'target', values: Array.from({ length: 700 }, (_, i) => `n${i + 1}`) }]);
  const graph = makeNodeGraph([many], {}, context);
  expect([graph.nodes.length, graph.left, graph.edges.length]).toEqual([500, 201, 499]);
});

test('arcs may be chosen by the options', () => {
  const graph = makeNodeGraph([nodes], { nodes: { arcs: [{ field: 'arc__failed', color: '#ff0000' }] } }, context);
  expect(graph.nodes[0].arcs).toEqual([{ name: 'failed', share: 0.1, color: '#ff0000' }]);
});

test('layered: callers stand left of what they call, also where calls run in a circle', () => {
  const points = layout('layered', 4, [{ source: 0, target: 1 }, { source: 1, target: 2 }, { source: 2, target: 1 }, { source: 0, target: 3 }, { source: 3, target: 3 }]);
  expect(points[0].x).toBeLessThan(points[1].x);
  expect(points[1].x).toBeLessThan(points[2].x);
  expect(points[3].x).toBe(points[1].x);
  expect(points[3].y).not.toBe(points[1].y);
});

test.each(['layered', 'force', 'grid'] as const)('%s: no two of a hundred nodes stand in one place, twice alike', (kind) => {
  const links = Array.from({ length: 120 }, (_, i) => ({ source: (i * 7) % 100, target: (i * 13 + 5) % 100 }));
  const points = layout(kind, 100, links);
  expect(points).toEqual(layout(kind, 100, links));
  for (let a = 0; a < 100; a++) for (let b = a + 1; b < 100; b++) expect(Math.hypot(points[a].x - points[b].x, points[a].y - points[b].y)).toBeGreaterThan(20);
});

test('an edge ends at the rims; to and fro bend apart', () => {
  const [a, b] = [{ x: 0, y: 0 }, { x: 100, y: 0 }];
  expect(edgePath(a, b, 10, 20)).toEqual({ path: 'M10.0 0.0Q50.0 20.0 83.0 0.0', middle: { x: 48.25, y: 10 } });
  expect(edgePath(b, a, 10, 20).middle.y).toBe(-10);
});
