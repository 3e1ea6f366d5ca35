/** Thresholds that a graph shows as lines or areas: where each begins, and in which colour. */
import { resolveColor, type ThemeName } from './colors';
import type { FieldConfig } from './frames';

export interface ThresholdLines {
  line: boolean;
  dashed: boolean;
  area: boolean;
  /** Ascending; the first begins at minus infinity. */
  steps: { value: number; color: string }[];
}

/** Undefined where nothing is shown: without thresholds, switched off, or in the mode `series`, which only JSON can hold and Grafana draws no more than we do. */
export function thresholdLines(config: FieldConfig, theme: ThemeName): ThresholdLines | undefined {
  const mode: string = config.custom?.thresholdsStyle?.mode ?? 'off';
  const [dashed, area] = [mode.includes('dashed'), mode.includes('area')];
  const line = dashed || mode.includes('line');
  const { thresholds } = config;
  if ((!line && !area) || !thresholds) return undefined;
  const number = (...given: unknown[]) => given.find((v): v is number => typeof v === 'number');
  const min = number(config.min, config.custom?.axisSoftMin) ?? 0;
  const max = number(config.max, config.custom?.axisSoftMax) ?? 100;
  const at = (v: number | null | undefined) => (typeof v !== 'number' ? -Infinity : thresholds.mode === 'percentage' ? min + (v / 100) * (max - min) : v);
  return { line, dashed, area, steps: thresholds.steps.map((s) => ({ value: at(s.value), color: resolveColor(s.color, theme) })) };
}
