/** The part of a picture that is in view: moved and scaled, so that `screen = picture * scale + (x, y)`. */
import type { Point } from '../../core/graphLayout';

export interface View {
  scale: number;
  /** px */
  x: number;
  y: number;
}

const LEAST = 0.08;
const MOST = 2.5;

/** All points in view, with a margin; never larger than life. */
export function fit(points: readonly Point[], width: number, height: number, margin: number): View {
  if (!points.length) return { scale: 1, x: width / 2, y: height / 2 };
  const xs = points.map((p) => p.x);
  const ys = points.map((p) => p.y);
  const [left, right, top, bottom] = [Math.min(...xs) - margin, Math.max(...xs) + margin, Math.min(...ys) - margin, Math.max(...ys) + margin];
  const scale = Math.max(LEAST, Math.min(1, width / (right - left), height / (bottom - top)));
  return { scale, x: width / 2 - ((left + right) / 2) * scale, y: height / 2 - ((top + bottom) / 2) * scale };
}

/** Closer or further away by a factor; what is at these px stays there. */
export function zoom(view: View, factor: number, x: number, y: number): View {
  const scale = Math.max(LEAST, Math.min(MOST, view.scale * factor));
  const change = scale / view.scale;
  return { scale, x: x - (x - view.x) * change, y: y - (y - view.y) * change };
}

export const pan = (view: View, dx: number, dy: number): View => ({ ...view, x: view.x + dx, y: view.y + dy });

/** So that a point comes into view, where it is not. */
export function reveal(view: View, point: Point, width: number, height: number, margin: number): View {
  const [x, y] = [point.x * view.scale + view.x, point.y * view.scale + view.y];
  const shift = (at: number, size: number) => (at < margin ? margin - at : at > size - margin ? size - margin - at : 0);
  return pan(view, shift(x, width), shift(y, height));
}
