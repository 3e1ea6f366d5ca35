/** Series -> spans of one state, for the state timeline; or single cells, for the status history. */
import { displayName } from './displayName';
import { makeDisplay, type Display, type DisplayContext } from './display';
import type { Frame } from './frames';
import { timeField } from './frames';

export interface StateSpan {
  /** Epoch ms. */
  from: number;
  to: number;
  value: unknown;
  text: string;
  color: string;
}

export interface StateRow {
  name: string;
  spans: StateSpan[];
  display: Display;
}

/** `merge`: neighbours of equal text and colour become one span. Gaps wider than the step stay empty. */
export function stateRows(frames: readonly Frame[], context: DisplayContext, endMs: number, merge: boolean): StateRow[] {
  let index = 0;
  return frames.flatMap((frame) => {
    const time = timeField(frame);
    if (!time) return [];
    const fields = frame.fields.filter((f) => f.type !== 'time' && f.type !== 'other' && !f.config.custom?.hideFrom?.viz);
    return fields.map((field): StateRow => {
      const name = displayName(field, frame, frames);
      const display = makeDisplay(field, context, index++, undefined, name);
      return { name, display, spans: spansOf(time.values, field.values, stepOf(time.values, time.config.interval), display, endMs, merge) };
    });
  });
}

function stepOf(times: readonly number[], interval: number | undefined): number {
  if (interval) return interval;
  let smallest = Infinity;
  for (let i = 1; i < times.length; i++) smallest = Math.min(smallest, times[i] - times[i - 1]);
  return smallest;
}

function spansOf(times: readonly number[], values: readonly any[], stepMs: number, display: Display, endMs: number, merge: boolean): StateSpan[] {
  const spans: StateSpan[] = [];
  for (let i = 0; i < times.length; i++) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    const next = i + 1 < times.length ? times[i + 1] : endMs;
    const to = Number.isFinite(stepMs) ? Math.min(Math.max(next, times[i]), times[i] + stepMs * 1.5) : next;
    const shown = display(value);
    const last = spans.at(-1);
    const text = display.text(value);
    if (merge && last && last.to >= times[i] && last.text === text && last.color === shown.color) last.to = to;
    else spans.push({ from: times[i], to, value, text, color: shown.color });
  }
  return spans;
}
