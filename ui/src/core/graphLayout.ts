/**
 * Where the nodes of a graph stand. No DOM; the same graph gives the same picture.
 *
 * layered: columns from callers to callees. Cycles are cut at the edges that lead back, a node's column is its longest way from a
 *   start, and within columns nodes are sorted by the mean place of their neighbours, four sweeps to and fro (Sugiyama's method).
 * force: nodes push each other off, edges pull, cooling down (Fruchterman and Reingold).
 * grid: by order, in rows.
 */

export interface Link {
  source: number;
  target: number;
}

export interface Point {
  x: number;
  y: number;
}

export type LayoutKind = 'layered' | 'force' | 'grid';

/** Between centres of neighbours. */
export const GAP = { x: 190, y: 128 } as const;

export function layout(kind: LayoutKind, count: number, links: readonly Link[]): Point[] {
  if (kind === 'grid' || !links.length) return grid(count);
  return kind === 'force' ? force(count, links) : layered(count, links);
}

function grid(count: number): Point[] {
  const columns = Math.max(1, Math.round(Math.sqrt(count * 1.4)));
  return Array.from({ length: count }, (_, i) => ({ x: (i % columns) * GAP.x * 0.8, y: Math.floor(i / columns) * GAP.y }));
}

function layered(count: number, links: readonly Link[]): Point[] {
  const forward = withoutCycles(count, links);
  const ranks = longestPaths(count, forward);
  const columns = sorted(count, forward, ranks);
  const tallest = Math.max(...columns.map((c) => c.length));
  const points = new Array<Point>(count);
  columns.forEach((column, rank) => column.forEach((node, i) => (points[node] = { x: rank * GAP.x, y: (i + (tallest - column.length) / 2) * GAP.y })));
  return points;
}

/** Links with those turned around that lead back to a node that is being walked from. */
function withoutCycles(count: number, links: readonly Link[]): Link[] {
  const out = neighbours(count, links, 'source');
  const state = new Uint8Array(count);
  const back = new Set<number>();
  const called = new Set(links.filter((l) => l.source !== l.target).map((l) => l.target));
  const starts = Array.from({ length: count }, (_, i) => i).sort((a, b) => Number(called.has(a)) - Number(called.has(b)));
  for (const start of starts) {
    if (state[start]) continue;
    const stack = [{ node: start, next: 0 }];
    state[start] = 1;
    while (stack.length) {
      const top = stack.at(-1)!;
      const index = out[top.node][top.next++];
      if (index === undefined) {
        state[top.node] = 2;
        stack.pop();
        continue;
      }
      const { target } = links[index];
      if (state[target] === 1) back.add(index);
      else if (!state[target]) {
        state[target] = 1;
        stack.push({ node: target, next: 0 });
      }
    }
  }
  return links.flatMap((l, i) => (l.source === l.target ? [] : [back.has(i) ? { source: l.target, target: l.source } : l]));
}

/** Indexes of the links at each node's end. */
function neighbours(count: number, links: readonly Link[], end: 'source' | 'target'): number[][] {
  const out = Array.from({ length: count }, () => [] as number[]);
  links.forEach((l, i) => out[l[end]].push(i));
  return out;
}

function longestPaths(count: number, links: readonly Link[]): number[] {
  const ranks = new Array<number>(count).fill(0);
  const waiting = new Array<number>(count).fill(0);
  for (const l of links) waiting[l.target] += 1;
  const out = neighbours(count, links, 'source');
  const ready = waiting.flatMap((n, i) => (n ? [] : [i]));
  for (let node = ready.pop(); node !== undefined; node = ready.pop())
    for (const i of out[node]) {
      const { target } = links[i];
      ranks[target] = Math.max(ranks[target], ranks[node] + 1);
      if (--waiting[target] === 0) ready.push(target);
    }
  return ranks;
}

function sorted(count: number, links: readonly Link[], ranks: readonly number[]): number[][] {
  const columns = Array.from({ length: Math.max(...ranks) + 1 }, () => [] as number[]);
  for (let i = 0; i < count; i++) columns[ranks[i]].push(i);
  const [incoming, outgoing] = [neighbours(count, links, 'target'), neighbours(count, links, 'source')];
  const place = new Array<number>(count).fill(0);
  const number = (column: number[]) => column.forEach((node, i) => (place[node] = i - column.length / 2));
  columns.forEach(number);
  for (let sweep = 0; sweep < 4; sweep++) {
    const down = sweep % 2 === 0;
    for (const column of down ? columns : columns.toReversed()) {
      const means = new Map(column.map((node) => [node, mean((down ? incoming : outgoing)[node].map((i) => place[down ? links[i].source : links[i].target])) ?? place[node]]));
      column.sort((a, b) => means.get(a)! - means.get(b)!);
      number(column);
    }
  }
  return columns;
}

const mean = (values: readonly number[]): number | undefined => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : undefined);

function force(count: number, links: readonly Link[]): Point[] {
  const wanted = GAP.x * 0.85;
  // A spiral: no two start in one place, and nothing is random.
  const points = Array.from({ length: count }, (_, i) => ({ x: Math.sqrt(i + 1) * wanted * 0.6 * Math.cos(i * 2.4), y: Math.sqrt(i + 1) * wanted * 0.6 * Math.sin(i * 2.4) }));
  const rounds = Math.max(30, Math.min(300, Math.round(3e6 / (count * count + 1))));
  for (let round = 0; round < rounds; round++) relax(points, links, wanted, wanted * (1 - round / rounds));
  return points;
}

function relax(points: Point[], links: readonly Link[], wanted: number, most: number): void {
  const moves = points.map(() => ({ x: 0, y: 0 }));
  const push = (a: number, b: number, strength: (d: number) => number) => {
    const [dx, dy] = [points[a].x - points[b].x, points[a].y - points[b].y];
    const d = Math.max(1, Math.hypot(dx, dy));
    const f = strength(d) / d;
    moves[a].x += dx * f;
    moves[a].y += dy * f;
    moves[b].x -= dx * f;
    moves[b].y -= dy * f;
  };
  for (let a = 0; a < points.length; a++) for (let b = a + 1; b < points.length; b++) push(a, b, (d) => (wanted * wanted) / d);
  for (const l of links) if (l.source !== l.target) push(l.source, l.target, (d) => (-d * d) / wanted);
  points.forEach((p, i) => {
    // Towards the middle, or parts without a link would drift off.
    const [x, y] = [moves[i].x - p.x * 0.3, moves[i].y - p.y * 0.3];
    const d = Math.hypot(x, y) || 1;
    p.x += (x / d) * Math.min(d, most);
    p.y += (y / d) * Math.min(d, most);
  });
}

/** Ends of an edge at the rims of two circles, and how it bends: two that run to and fro between the same nodes must not lie on each other. */
export function edgePath(a: Point, b: Point, radius: number, bend: number): { path: string; middle: Point } {
  if (a.x === b.x && a.y === b.y) {
    const r = radius;
    return { path: `M${a.x - r * 0.5} ${a.y - r * 0.87}C${a.x - r * 1.4} ${a.y - r * 2.6} ${a.x + r * 1.4} ${a.y - r * 2.6} ${a.x + r * 0.5} ${a.y - r * 0.87}`, middle: { x: a.x, y: a.y - r * 2.2 } };
  }
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const d = Math.hypot(dx, dy);
  const [ux, uy] = [dx / d, dy / d];
  const control = { x: (a.x + b.x) / 2 - uy * bend, y: (a.y + b.y) / 2 + ux * bend };
  const from = { x: a.x + ux * radius, y: a.y + uy * radius };
  const to = { x: b.x - ux * (radius + 7), y: b.y - uy * (radius + 7) };
  const n = (v: number) => v.toFixed(1);
  return { path: `M${n(from.x)} ${n(from.y)}Q${n(control.x)} ${n(control.y)} ${n(to.x)} ${n(to.y)}`, middle: { x: (from.x + 2 * control.x + to.x) / 4, y: (from.y + 2 * control.y + to.y) / 4 } };
}
