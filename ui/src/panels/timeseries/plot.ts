/** The only place that makes uPlot instances. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { AnnotationEvent } from '../../core/annotations';
import { withAlpha } from '../../core/colors';
import { mergedRegions } from '../../core/regions';
import type { Graph, Paths } from './graphOptions';

const bars = new Map<string, uPlot.Series.PathBuilder>();

export const paths: Paths = {
  linear: uPlot.paths.linear!(),
  spline: uPlot.paths.spline!(),
  stepBefore: uPlot.paths.stepped!({ align: -1 }),
  stepAfter: uPlot.paths.stepped!({ align: 1 }),
  points: uPlot.paths.points!(),
  bars: ({ align, width, most }) => {
    const key = `${align}|${width}|${most}`;
    if (!bars.has(key)) bars.set(key, uPlot.paths.bars!({ align, size: [width, most, 1] }));
    return bars.get(key)!;
  },
};

export function zoneDate(zone: string): (ms: number) => Date {
  if (zone === 'browser' || !zone) return (ms) => new Date(ms);
  return (ms) => uPlot.tzDate(new Date(ms), zone === 'utc' ? 'Etc/UTC' : zone);
}

/** Lines and areas of the thresholds. */
export function thresholdPlugin(graph: Graph): uPlot.Plugin {
  const draw = (u: uPlot, what: 'area' | 'line') => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { scale, line, dashed, area, steps } of graph.thresholds) {
      steps.forEach((step, i) => {
        const y = step.value === -Infinity ? bbox.top + bbox.height : u.valToPos(step.value, scale, true);
        if (what === 'area' && area) {
          const above = steps[i + 1] ? u.valToPos(steps[i + 1].value, scale, true) : bbox.top;
          ctx.fillStyle = withAlpha(step.color, 0.1);
          ctx.fillRect(bbox.left, above, bbox.width, y - above);
        }
        if (what === 'line' && line && step.value !== -Infinity) {
          ctx.strokeStyle = withAlpha(step.color, 0.85);
          ctx.lineWidth = 1.5 * devicePixelRatio;
          ctx.setLineDash(dashed ? [8 * devicePixelRatio, 6 * devicePixelRatio] : []);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
        }
      });
    }
    ctx.restore();
  };
  return { hooks: { drawClear: (u) => draw(u, 'area'), draw: (u) => draw(u, 'line') } };
}

/** Lines and regions of events, behind the series; a mark at the foot of each. */
export function annotationPlugin(events: () => readonly AnnotationEvent[]): uPlot.Plugin {
  const draw = (u: uPlot) => {
    const { ctx, bbox } = u;
    const foot = bbox.top + bbox.height;
    const size = 5 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { from, to, color } of mergedRegions(events())) {
      const [left, right] = [u.valToPos(from, 'x', true), u.valToPos(to, 'x', true)];
      ctx.fillStyle = withAlpha(color, 0.12);
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    for (const { time, timeEnd, color } of events()) {
      const [from, to] = [u.valToPos(time, 'x', true), u.valToPos(timeEnd ?? time, 'x', true)];
      if (to < bbox.left || from > bbox.left + bbox.width) continue;
      ctx.strokeStyle = withAlpha(color, 0.9);
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      for (const x of to > from ? [from, to] : [from]) {
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, foot);
        ctx.stroke();
      }
      ctx.fillStyle = color;
      ctx.beginPath();
      ctx.moveTo(from - size, foot);
      ctx.lineTo(from, foot - size * 1.5);
      ctx.lineTo(from + size, foot);
      ctx.fill();
      if (to > from) ctx.fillRect(from, foot - size / 2, to - from, size / 2);
    }
    ctx.restore();
  };
  return { hooks: { drawClear: draw } };
}

export { uPlot };
