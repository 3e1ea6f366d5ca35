/** Values written over their points, where a field asks for it (`showValues`); one that would touch the label before it is left out. */
import type uPlot from 'uplot';
import type { Graph } from './graphOptions';

const TEXT_PX = 11;
/** From a point to the foot of its text, px. */
const ABOVE_PX = 5;
const APART_PX = 6;

export interface LabelStyle {
  font: string;
  /** Behind the letters, so that lines do not run through them. */
  edge: string;
}

export function valueLabelPlugin(graph: Graph, style: LabelStyle): uPlot.Plugin {
  const draw = (u: uPlot) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = `${TEXT_PX * devicePixelRatio}px ${style.font}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'alphabetic';
    ctx.lineWidth = 3 * devicePixelRatio;
    ctx.lineJoin = 'round';
    ctx.strokeStyle = style.edge;
    graph.series.forEach((s, i) => {
      const { show, scale } = u.series[i + 1];
      if (s.field.config.custom?.showValues !== true || !show || scale === undefined) return;
      ctx.fillStyle = s.color;
      const width = (text: string) => ctx.measureText(text).width;
      for (const label of placed(u, i, (v) => s.display.text(v), width, scale)) {
        // A point at the upper edge has its value below it.
        const y = label.y - (ABOVE_PX + TEXT_PX) * devicePixelRatio < bbox.top ? label.y + (ABOVE_PX + TEXT_PX) * devicePixelRatio : label.y - ABOVE_PX * devicePixelRatio;
        const half = width(label.text) / 2;
        // Those of the first and the last point stay within the plot.
        const x = Math.max(bbox.left + half, Math.min(bbox.left + bbox.width - half, label.x));
        ctx.strokeText(label.text, x, y);
        ctx.fillText(label.text, x, y);
      }
    });
    ctx.restore();
  };
  return { hooks: { draw } };

  /** Labels of one series from the left, in device px. Stacked series stand where they are drawn but say what they are. */
  function placed(u: uPlot, index: number, textOf: (value: number) => string, widthOf: (text: string) => number, scale: string): { x: number; y: number; text: string }[] {
    const [from, to] = u.series[0].idxs ?? [0, graph.times.length - 1];
    const xs = Array.from({ length: to - from + 1 }, (_, k) => u.valToPos(graph.times[from + k], 'x', true));
    const values = graph.series[index].values.slice(from, to + 1);
    return apart(xs, values, textOf, widthOf, APART_PX * devicePixelRatio).map(({ place, text }) => ({ x: xs[place], y: u.valToPos(u.data[index + 1][from + place]!, scale, true), text }));
  }
}

/** Which of the values get a label, from the left: those that do not touch the one before. `xs` and the widths in one unit. */
export function apart(xs: readonly number[], values: readonly (number | null | undefined)[], textOf: (value: number) => string, widthOf: (text: string) => number, gap: number): { place: number; text: string }[] {
  const out: { place: number; text: string }[] = [];
  let free = -Infinity;
  values.forEach((value, place) => {
    if (typeof value !== 'number' || xs[place] <= free) return;
    const text = textOf(value);
    const half = widthOf(text) / 2;
    if (xs[place] - half < free) return;
    out.push({ place, text });
    free = xs[place] + half + gap;
  });
  return out;
}
