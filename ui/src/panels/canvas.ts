/** What our own canvas panels share: sharp pixels and a time axis. */
import type { TimeRange, TimeZone } from '../core/time';
import { formatDateTime, parseTime } from '../core/time';
import { token } from '../app/theme.svelte';
import { timeTick } from './timeseries/graphOptions';

export interface Surface {
  ctx: CanvasRenderingContext2D;
  /** px */
  width: number;
  height: number;
}

/** Size the canvas for this screen and clear it; drawing is in CSS pixels. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): Surface {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const ctx = canvas.getContext('2d')!;
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.font = `11px ${token('--font')}`;
  return { ctx, width, height };
}

const STEPS_MS = [1e3, 5e3, 15e3, 3e4, 6e4, 3e5, 6e5, 18e5, 36e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 2592e6];

/** Ticks below the plot. */
export function drawTimeAxis(surface: Surface, range: TimeRange, zone: TimeZone, left: number, right: number, y: number): void {
  const { ctx } = surface;
  const length = range.to - range.from;
  const step = STEPS_MS.find((s) => (length / s) * 84 <= right - left) ?? STEPS_MS.at(-1)!;
  const dayStart = parseTime('now/d', { now: range.from, zone }) ?? 0;
  ctx.fillStyle = token('--axis');
  ctx.textAlign = 'center';
  ctx.textBaseline = 'top';
  for (let t = dayStart + Math.ceil((range.from - dayStart) / step) * step; t <= range.to; t += step) {
    const x = left + ((t - range.from) / length) * (right - left);
    if (x > left + 12 && x < right - 12) ctx.fillText(timeTick(t, step, length > 72e6, zone), x, y + 6);
  }
}

export const timeLabel = (ms: number, zone: TimeZone) => formatDateTime(ms, zone);
