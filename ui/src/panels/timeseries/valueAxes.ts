/** Value axes: which series share one, its side, limits, distribution and ticks. */
import type uPlot from 'uplot';
import type { Field, FieldConfig } from '../../core/frames';
import type { Column } from '../../core/series';
import { thresholdLines } from '../../core/thresholdLines';
import { formattedText, unitFormatter } from '../../core/units';
import type { Graph, GraphSettings } from './graphOptions';

interface ScaleEntry {
  key: string;
  config: FieldConfig;
  /** Of the first series. */
  color: string;
  side: 'left' | 'right' | 'hidden';
  columns: Column[];
}

/** Value scales: fields that differ in unit, limits or placement get their own axis; the first is left, later ones right. */
export class ScaleSet {
  #entries = new Map<string, ScaleEntry>();
  #settings: GraphSettings;

  constructor(settings: GraphSettings) {
    this.#settings = settings;
  }

  /** The scale of a series; remembers its values for the limits. */
  add({ field, color }: { field: Field; color: string }, column: Column, visible: boolean): string {
    const custom = field.config.custom ?? {};
    const config = custom.stacking?.mode === 'percent' ? percentConfig(field.config) : field.config;
    const log = distributionKey(custom.scaleDistribution);
    const placement: string = custom.axisPlacement ?? 'auto';
    const key = ['y', config.unit ?? '', placement === 'auto' ? '' : placement, config.min, config.max, custom.axisSoftMin, custom.axisSoftMax, custom.axisLabel, log].join('|');
    let entry = this.#entries.get(key);
    if (!entry) {
      const taken = [...this.#entries.values()].some((e) => e.side === 'left');
      entry = { key, config, side: placement === 'hidden' ? 'hidden' : placement === 'right' || (placement !== 'left' && taken) ? 'right' : 'left', columns: [], color };
      this.#entries.set(key, entry);
    }
    if (visible) entry.columns.push(column);
    return key;
  }

  options(): uPlot.Scales {
    return Object.fromEntries([...this.#entries.values()].map((entry) => [entry.key, scaleOptions(entry)]));
  }

  axes(): uPlot.Axis[] {
    const { tokens } = this.#settings;
    let lines = false;
    return [...this.#entries.values()].map((entry) => {
      const custom = entry.config.custom ?? {};
      const grid = custom.axisGridShow ?? !lines;
      lines ||= entry.side !== 'hidden' && grid;
      return {
        scale: entry.key,
        show: entry.side !== 'hidden',
        side: entry.side === 'right' ? 1 : 3,
        stroke: custom.axisColorMode === 'series' ? entry.color : tokens.axis,
        border: { show: custom.axisBorderShow === true, stroke: custom.axisColorMode === 'series' ? entry.color : tokens.axis, width: 1 },
        font: `11px ${tokens.font}`,
        label: custom.axisLabel || undefined,
        labelFont: `11px ${tokens.font}`,
        labelSize: 20,
        labelGap: 0,
        grid: { show: grid, stroke: tokens.grid, width: 1 },
        ticks: { show: false },
        gap: 6,
        space: this.#settings.height < 160 ? 26 : 34,
        size: axisSize(tokens.font, custom.axisWidth),
        incrs: isBinary(entry.config.unit) ? BINARY_STEPS : undefined,
        // Logarithmic axes have ticks without a number.
        values: (_u, splits) => {
          const texts = valueTicks(splits.filter((v) => v !== null), entry.config, this.#settings);
          return splits.map((v) => (v === null ? '' : texts.shift()!));
        },
      };
    });
  }

  thresholds(): Graph['thresholds'] {
    return [...this.#entries.values()].flatMap((entry) => {
      const lines = thresholdLines(entry.config, this.#settings.theme);
      return lines ? [{ scale: entry.key, ...lines }] : [];
    });
  }
}

/** Powers of two, so that bytes have ticks at 256 KiB, 512 KiB, 1 MiB. */
const BINARY_STEPS = Array.from({ length: 60 }, (_, i) => 2 ** i);
const isBinary = (unit: string | undefined) => /^(k|m|g|t|p)?(bytes|bits)$|^bin[Bb]ps$|^[KMGT]i(Bs|bits)$/.test(unit ?? '');

/** As few digits as tell the ticks apart: the same number within one magnitude, so that `1.0 K` stands by `1.5 K` but `40 s` by `1.33 mins`. */
function valueTicks(splits: number[], config: FieldConfig, settings: GraphSettings): string[] {
  const format = unitFormatter(config.unit);
  const context = { zone: settings.zone, now: settings.range.to };
  const parts = (v: number, decimals: number | null | undefined) => format(Math.abs(v) < 1e-15 ? 0 : v, decimals, context);
  if (typeof config.decimals === 'number') return splits.map((v) => formattedText(parts(v, config.decimals)));
  const digits = new Map<string, number>();
  const suffixes = splits.map((v) => parts(v, 3).suffix?.replace(/s$/, '') ?? '');
  splits.forEach((v, i) => digits.set(suffixes[i], Math.max(digits.get(suffixes[i]) ?? 0, neededDecimals(v, parts))));
  return splits.map((v, i) => formattedText(parts(v, v === 0 ? 0 : digits.get(suffixes[i]))));
}

/** The fewest digits that show a tick to within half a percent. */
function neededDecimals(v: number, parts: (v: number, decimals: number) => { text: string }): number {
  const exact = Number(parts(v, 9).text);
  if (!Number.isFinite(exact)) return 0;
  for (let decimals = 0; decimals < 6; decimals++) if (Math.abs(Number(parts(v, decimals).text) - exact) <= Math.abs(exact) * 0.005) return decimals;
  return 6;
}

function axisSize(_font: string, fixed: number | undefined): uPlot.Axis.Size {
  return (u, values, axisIdx, cycleNum) => {
    if (fixed) return fixed;
    const axis = u.axes[axisIdx] as uPlot.Axis & { _size?: number };
    // Settles after one round, or axes and plot would chase each other.
    if (cycleNum > 1) return axis._size ?? 40;
    const longest = (values ?? []).reduce((a, b) => (b.length > a.length ? b : a), '');
    u.ctx.font = axis.font?.[0] ?? '11px sans-serif';
    return Math.ceil(u.ctx.measureText(longest).width / devicePixelRatio) + 14;
  };
}

/** Shares of a whole: what the axis shows of series that are stacked to 100 %. */
function percentConfig(config: FieldConfig): FieldConfig {
  return { ...config, unit: 'percentunit', decimals: undefined, min: 0, max: 1 };
}

const distributionKey = (d: any): string => (d?.type === 'log' || d?.type === 'symlog' ? `${d.type}${d.log ?? ''}/${d.linearThreshold ?? ''}` : '');

function scaleOptions(entry: ScaleEntry): uPlot.Scale {
  const { config } = entry;
  const custom = config.custom ?? {};
  const { type, log, linearThreshold } = custom.scaleDistribution ?? {};
  const base = Number(log) === 2 ? 2 : 10;
  const fixed = { min: numberOr(config.min), max: numberOr(config.max) };
  const options: uPlot.Scale = { range: (_u, dataMin, dataMax) => valueRange(dataMin, dataMax, fixed, custom, type === 'log' ? base : 0) };
  if (type === 'log') return { ...options, distr: 3, log: base };
  // Logarithmic on both sides of a straight stretch around zero, for values of either sign.
  if (type === 'symlog') return { ...options, distr: 4, log: base, asinh: Number(linearThreshold) > 0 ? Number(linearThreshold) : 1 };
  return options;
}

const numberOr = (v: unknown) => (typeof v === 'number' && Number.isFinite(v) ? v : undefined);

/** Ends further apart than numbers reach would leave nothing to draw. */
const LARGEST = 8e307;

/** Limits of a value axis: fixed ends are kept, soft ends are taken in, free ends get a margin and come to zero where zero is near. */
export function valueRange(dataMin: number | null, dataMax: number | null, fixed: { min?: number; max?: number }, custom: Record<string, any>, logBase: 0 | 2 | 10 = 0): [number, number] {
  let min = dataMin ?? 0;
  let max = dataMax ?? (dataMin === null ? 1 : dataMin);
  if (logBase) return logRange(min, max, fixed, custom, logBase);
  if (typeof custom.axisSoftMin === 'number') min = Math.min(min, custom.axisSoftMin);
  if (typeof custom.axisSoftMax === 'number') max = Math.max(max, custom.axisSoftMax);
  if (min === max) {
    const half = Math.abs(min) / 2 || 1;
    if (min > 0) [min, max] = [0, min + half];
    else if (max < 0) [min, max] = [max - half, 0];
    else [min, max] = [0, 1];
  }
  const margin = (max - min) * 0.08;
  const nearZero = (v: number) => Math.abs(v) < (max - min) * 1.5;
  const low = typeof custom.axisSoftMin === 'number' && min === custom.axisSoftMin ? min : min >= 0 && nearZero(min) ? 0 : min - margin;
  const high = typeof custom.axisSoftMax === 'number' && max === custom.axisSoftMax ? max : max <= 0 && nearZero(max) ? 0 : max + margin;
  let range: [number, number] = [fixed.min ?? low, fixed.max ?? high];
  if (custom.axisCenteredZero) {
    const most = Math.max(Math.abs(range[0]), Math.abs(range[1]));
    range = [-most, most];
  }
  const [bottom, top] = range.map((v) => Math.min(LARGEST, Math.max(-LARGEST, v)));
  return bottom < top ? [bottom, top] : [bottom, bottom + (Math.abs(bottom) * 1e-3 || 1)];
}

/** Whole powers of the base around the data; what is not above zero has no place. */
function logRange(dataMin: number, dataMax: number, fixed: { min?: number; max?: number }, custom: Record<string, any>, base: 2 | 10): [number, number] {
  const [lower, upper] = base === 2 ? [Math.log2, (n: number) => 2 ** n] : [Math.log10, (n: number) => 10 ** n];
  const positive = (v: unknown) => (typeof v === 'number' && v > 0 ? v : undefined);
  const least = Math.min(positive(dataMin) ?? 0.001, positive(custom.axisSoftMin) ?? Infinity);
  const most = Math.max(positive(dataMax) ?? 1, positive(custom.axisSoftMax) ?? 0);
  const range: [number, number] = [positive(fixed.min) ?? upper(Math.floor(lower(least))), positive(fixed.max) ?? upper(Math.ceil(lower(most)))];
  return range[0] < range[1] ? range : [range[0], range[0] * base];
}
