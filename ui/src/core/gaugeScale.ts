/** Thresholds of one value as places between its min and max: the ring of a gauge, its labels. */
import { resolveColor, type ThemeName } from './colors';
import { fieldExtent } from './display';
import type { SingleValue } from './fieldValues';

export interface ScaleMark {
  /** 0 to 1. */
  from: number;
  to: number;
  color: string;
  /** The threshold itself; null for the lowest step. */
  value: number | null;
}

/** Steps that lie outside the limits have no length. */
export function scaleMarks(item: SingleValue, theme: ThemeName): ScaleMark[] {
  const { min, max } = fieldExtent(item.field);
  const { steps = [], mode } = item.field.config.thresholds ?? {};
  const absolute = (v: number) => (mode === 'percentage' ? min + (v / 100) * (max - min) : v);
  const place = (v: number | null | undefined) => (v === null || v === undefined ? 0 : Math.min(1, Math.max(0, (absolute(v) - min) / (max - min || 1))));
  return steps.map((step, i) => ({ from: place(step.value), to: steps[i + 1] ? place(steps[i + 1].value) : 1, color: resolveColor(step.color, theme), value: typeof step.value === 'number' ? absolute(step.value) : null }));
}

/** Where a bar begins: at `neutral`, so that it can point either way, else at the lower end. */
export function barSpan(item: SingleValue): { from: number; to: number } {
  const { min, max } = fieldExtent(item.field);
  const neutral = item.field.config.custom?.neutral;
  const start = typeof neutral === 'number' && max > min ? Math.min(1, Math.max(0, (neutral - min) / (max - min))) : 0;
  return { from: Math.min(start, item.value.percent), to: Math.max(start, item.value.percent) };
}

/** `▲`, `▼`, and whether it is good: green for a rise, unless the panel turns it around or wants the value's colour. */
export function changeTone(percent: number, mode: string | undefined): { arrow: string; tone: 'good' | 'bad' | 'plain' } {
  const arrow = percent > 0 ? '▲' : percent < 0 ? '▼' : '';
  if (!arrow || mode === 'same_as_value') return { arrow, tone: 'plain' };
  return { arrow, tone: percent > 0 !== (mode === 'inverted') ? 'good' : 'bad' };
}
