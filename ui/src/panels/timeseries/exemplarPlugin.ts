/** Exemplars as diamonds over the series; one whose value lies outside the axis stands at its edge. */
import type uPlot from 'uplot';
import type { Exemplar } from '../../core/exemplars';
import type { Graph } from './graphOptions';

/** Half a diamond, px. */
const SIZE = 5;
const REACH = 9;

export interface ExemplarStyle {
  fill: string;
  edge: string;
}

export function exemplarPlugin(graph: Graph, exemplars: () => readonly Exemplar[], style: ExemplarStyle): uPlot.Plugin {
  const draw = (u: uPlot) => {
    const { ctx } = u;
    const size = SIZE * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = style.fill;
    ctx.strokeStyle = style.edge;
    ctx.lineWidth = devicePixelRatio;
    for (const exemplar of exemplars()) {
      const at = place(u, graph, exemplar);
      if (!at) continue;
      const [x, y] = [u.bbox.left + at.left * devicePixelRatio, u.bbox.top + at.top * devicePixelRatio];
      ctx.beginPath();
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      ctx.closePath();
      ctx.fill();
      ctx.stroke();
    }
    ctx.restore();
  };
  return { hooks: { draw } };
}

/** Px within the plot; undefined outside the time range, or where the plot has no axis. */
export function place(u: uPlot, graph: Graph, exemplar: Exemplar): { left: number; top: number } | undefined {
  const index = Math.max(0, graph.series.findIndex((s) => s.refId === exemplar.refId));
  const scale = u.series[index + 1]?.scale;
  if (scale === undefined) return undefined;
  const [left, top] = [u.valToPos(exemplar.time, 'x'), u.valToPos(exemplar.value, scale)];
  const inside = left >= 0 && left <= u.over.clientWidth && !Number.isNaN(top);
  return inside ? { left, top: Math.min(u.over.clientHeight, Math.max(0, top)) } : undefined;
}

/** The exemplar that a pointer at these px of the plot is on. */
export function exemplarAt(u: uPlot, graph: Graph, exemplars: readonly Exemplar[], left: number, top: number): Exemplar | undefined {
  let best: Exemplar | undefined;
  let distance = REACH;
  for (const exemplar of exemplars) {
    const at = place(u, graph, exemplar);
    const d = at ? Math.hypot(at.left - left, at.top - top) : Infinity;
    if (d < distance) [best, distance] = [exemplar, d];
  }
  return best;
}
