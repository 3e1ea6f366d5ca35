/** The geometry of a gauge: an arc of 240° that is open below, or a whole circle, in a box of 100 by 100 around its middle. */

export interface DialShape {
  /** Degrees, 0 to the right, clockwise. */
  start: number;
  sweep: number;
}

export const GAUGE: DialShape = { start: -210, sweep: 240 };
export const CIRCLE: DialShape = { start: -90, sweep: 360 };

/** A place on the dial, 0 to 1, at a distance from the middle. */
export function dialPoint({ start, sweep }: DialShape, place: number, radius: number): { x: number; y: number } {
  const angle = ((start + place * sweep) * Math.PI) / 180;
  return { x: 50 + radius * Math.cos(angle), y: 50 + radius * Math.sin(angle) };
}

/** Longer arcs would end where they begin, and so be none. */
const WHOLE = 0.9999;

/** An SVG path between two places; empty where they are one. */
export function dialArc(shape: DialShape, from: number, to: number, radius: number): string {
  const [a, b] = [Math.max(0, from), Math.min(shape.sweep === 360 ? Math.max(0, from) + WHOLE : 1, to, 1)];
  if (b - a <= 0.0005) return '';
  const at = (place: number) => {
    const { x, y } = dialPoint(shape, place, radius);
    return `${x.toFixed(2)} ${y.toFixed(2)}`;
  };
  return `M${at(a)}A${radius} ${radius} 0 ${(b - a) * shape.sweep > 180 ? 1 : 0} 1 ${at(b)}`;
}

/** Equal parts of the whole dial with gaps between them; `spacing`: share of a part that its gap takes, 0 to 1. */
export function dialSegments(shape: DialShape, count: number, spacing: number): { from: number; to: number }[] {
  const n = Math.max(1, Math.min(100, Math.round(count) || 1));
  const gap = Math.min(0.9, Math.max(0, spacing)) / n;
  // A circle has as many gaps as parts, an arc one fewer.
  const part = shape.sweep === 360 ? 1 / n - gap : (1 - gap * (n - 1)) / n;
  return Array.from({ length: n }, (_, i) => ({ from: i * (part + gap), to: i * (part + gap) + part }));
}
