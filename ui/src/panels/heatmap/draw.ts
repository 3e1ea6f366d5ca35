/** The cells of a heatmap on a canvas. */
import type { Heat } from '../../core/heatCells';
import { readableOn } from '../../core/colors';

export interface CellStyle {
  color: (value: number) => string;
  /** px between cells. */
  gap: number;
  /** px */
  radius: number;
  /** Text of a value; absent: no texts. `always`: also where it does not fit. */
  text?: (value: number) => string;
  always?: boolean;
  /** Values that are not drawn. */
  hides: (value: number) => boolean;
}

export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** `x`: px of a time; rows stand upward, or downward when `turned`. */
export function drawCells(ctx: CanvasRenderingContext2D, heat: Heat, area: Area, x: (timeMs: number) => number, turned: boolean, style: CellStyle): void {
  const rowHeight = (area.bottom - area.top) / Math.max(1, heat.rows.length);
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
  ctx.clip();
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  heat.counts.forEach((row, r) => {
    const place = turned ? r : heat.rows.length - 1 - r;
    const top = area.top + place * rowHeight;
    row.forEach((v, c) => {
      if (v === null || style.hides(v)) return;
      // Whole pixels: neighbours would show seams through each other's edges.
      const [from, to] = [Math.round(x(heat.times[c] - heat.stepMs)), Math.round(x(heat.times[c]))];
      if (to < area.left || from > area.right) return;
      // Narrow cells keep their place: a gap would be most of them.
      const gap = to - from > style.gap * 3 && rowHeight > style.gap * 3 ? style.gap : 0;
      const color = style.color(v);
      ctx.fillStyle = color;
      cell(ctx, from + gap / 2, top + gap / 2, Math.max(1, to - from - gap), Math.max(1, rowHeight - gap), style.radius);
      const text = style.text?.(v);
      if (!text || (!style.always && (rowHeight < 13 || ctx.measureText(text).width > to - from - 4))) return;
      ctx.fillStyle = readableOn(color);
      ctx.fillText(text, (from + to) / 2, top + rowHeight / 2);
    });
  });
  ctx.restore();
}

function cell(ctx: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, radius: number): void {
  if (radius <= 0) return ctx.fillRect(x, y, w, h);
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, Math.min(radius, w / 2, h / 2));
  ctx.fill();
}
