/** Panel settings + frames -> uPlot options and data. No DOM, no uPlot instance: the path builders are handed in. */
import type uPlot from 'uplot';
import { colorScale, resolveColor, withAlpha, type ThemeName } from '../../core/colors';
import { displayName } from '../../core/displayName';
import { makeDisplay, fieldExtent, type Display } from '../../core/display';
import type { Field, FieldConfig, Frame } from '../../core/frames';
import { alignSeries, bridgeGaps, stackSeries, type Column } from '../../core/series';
import { formatDateTime, type TimeRange, type TimeZone } from '../../core/time';
import { formattedText, unitFormatter } from '../../core/units';

export interface GraphSeries {
  name: string;
  /** The query that it answers. */
  refId?: string;
  field: Field;
  color: string;
  display: Display;
  /** Values as they came, before stacking; aligned with the times. */
  values: Column;
  /** Not listed in the legend, or the tooltip. */
  hideFrom: { legend?: boolean; tooltip?: boolean };
  /** Drawn on the right axis. */
  right: boolean;
}

export interface Graph {
  times: number[];
  series: GraphSeries[];
  data: uPlot.AlignedData;
  options: Omit<uPlot.Options, 'width' | 'height'>;
  /** Draw the thresholds of a scale. */
  thresholds: { scale: string; mode: string; steps: { value: number; color: string }[] }[];
}

export interface Tokens {
  grid: string;
  axis: string;
  font: string;
  surface: string;
}

export interface GraphSettings {
  range: TimeRange;
  zone: TimeZone;
  theme: ThemeName;
  tokens: Tokens;
  width: number;
  height: number;
  paths: Paths;
  tzDate: (ms: number) => Date;
  /** Names that are switched off. */
  hidden: ReadonlySet<string>;
}

export interface Paths {
  linear: uPlot.Series.PathBuilder;
  spline: uPlot.Series.PathBuilder;
  stepBefore: uPlot.Series.PathBuilder;
  stepAfter: uPlot.Series.PathBuilder;
  bars: (options: { align: -1 | 0 | 1; width: number }) => uPlot.Series.PathBuilder;
  points: uPlot.Series.PathBuilder;
}

export function buildGraph(frames: readonly Frame[], settings: GraphSettings): Graph {
  const aligned = alignSeries(frames);
  const fields = aligned.series.map((s) => s.field);
  const scales = new ScaleSet(settings);
  const series = aligned.series.map(({ field, frame }, i): GraphSeries => {
    const name = displayName(field, frame, frames);
    const display = makeDisplay(field, { theme: settings.theme, zone: settings.zone, now: settings.range.to }, i, undefined, name);
    return { name, refId: frame.refId, field, color: seriesColor(field, name, i, settings.theme), display, values: aligned.columns[i], hideFrom: field.config.custom?.hideFrom ?? {}, right: field.config.custom?.axisPlacement === 'right' };
  });
  const visible = series.map((s) => !settings.hidden.has(s.name));
  const drawn = drawnColumns(aligned.times, aligned.columns, fields, visible);
  const plotSeries = series.map((s, i) => seriesOptions(s, scales.add(s.field, drawn.columns[i], visible[i]), visible[i], settings));
  return {
    times: aligned.times,
    series,
    data: [aligned.times, ...drawn.columns] as uPlot.AlignedData,
    thresholds: scales.thresholds(),
    options: {
      ms: 1,
      tzDate: settings.tzDate,
      padding: [8, 10, 2, 4],
      legend: { show: false },
      cursor: cursorOptions(settings),
      scales: { x: { time: true, range: () => [settings.range.from, settings.range.to] }, ...scales.options() },
      axes: [timeAxis(settings), ...scales.axes()],
      series: [{}, ...plotSeries],
      bands: [...drawn.bands.map(([upper, lower]): uPlot.Band => ({ series: [upper + 1, lower + 1], fill: undefined })), ...fillBelowBands(series, settings)],
    },
  };
}

function drawnColumns(times: number[], columns: Column[], fields: Field[], visible: boolean[]): { columns: Column[]; bands: [number, number][] } {
  const ready = columns.map((column, i) => {
    const custom = fields[i].config.custom ?? {};
    const transformed = custom.transform === 'negative-Y' ? column.map((v) => (typeof v === 'number' ? -v : v)) : custom.transform === 'constant' ? constantColumn(column) : column;
    return typeof custom.spanNulls === 'number' ? bridgeGaps(times, transformed, custom.spanNulls) : transformed;
  });
  const modes = fields.map((f, i) => {
    const stacking = f.config.custom?.stacking;
    const on = visible[i] && stacking && stacking.mode && stacking.mode !== 'none';
    return { group: on ? `${stacking.group ?? 'A'}|${f.config.custom?.axisPlacement ?? ''}|${f.config.unit ?? ''}` : undefined, percent: stacking?.mode === 'percent' };
  });
  return modes.some((m) => m.group !== undefined) ? stackSeries(ready, modes) : { columns: ready, bands: [] };
}

function constantColumn(column: Column): Column {
  const last = column.findLast((v) => typeof v === 'number');
  return column.map(() => last);
}

function seriesColor(field: Field, name: string, index: number, theme: ThemeName): string {
  const scale = colorScale(field.config.color ? field.config : { ...field.config, color: { mode: 'palette-classic' } }, name, index, theme, fieldExtent(field));
  if (!scale.byValue) return scale.series;
  const by = field.config.color?.seriesBy ?? 'last';
  const numbers = (field.values as unknown[]).filter((v): v is number => typeof v === 'number');
  const value = by === 'min' ? Math.min(...numbers) : by === 'max' ? Math.max(...numbers) : numbers.at(-1);
  return value === undefined || !Number.isFinite(value) ? scale.series : scale.of(value);
}

function seriesOptions(s: GraphSeries, scale: string, show: boolean, settings: GraphSettings): uPlot.Series {
  const custom = s.field.config.custom ?? {};
  const style: string = custom.drawStyle ?? 'line';
  const width = style === 'points' ? 0 : (custom.lineWidth ?? 1);
  const fill = Number(custom.fillOpacity ?? 0) / 100;
  const showPoints = style === 'points' ? true : custom.showPoints === 'always' ? true : custom.showPoints === 'never' || style === 'bars' ? false : undefined;
  const dash = custom.lineStyle?.fill === 'dash' ? (custom.lineStyle.dash ?? [10, 10]) : custom.lineStyle?.fill === 'dot' ? (custom.lineStyle.dash ?? [0, 8]) : undefined;
  return {
    label: s.name,
    scale,
    show,
    stroke: s.color,
    // uPlot draws hairlines of one device pixel poorly; 1.5 reads as one.
    width: width === 1 ? 1.4 : width,
    dash,
    cap: custom.lineStyle?.fill === 'dot' ? 'round' : undefined,
    fill: fill > 0 ? (custom.gradientMode && custom.gradientMode !== 'none' ? gradientFill(s.color, fill) : withAlpha(s.color, fill)) : undefined,
    spanGaps: custom.spanNulls === true,
    paths: pathBuilder(style, custom, settings.paths),
    pxAlign: style === 'bars' ? 1 : 0,
    points: { show: showPoints, size: custom.pointSize ? Math.max(3, custom.pointSize) : 5, fill: s.color, stroke: s.color, width: 0, filter: showPoints === undefined ? lonePoints : undefined },
    value: () => '',
  };
}

/** With points on `auto`: sparse series show all of them, dense ones only what no line touches. */
const lonePoints: uPlot.Series.Points.Filter = (u, seriesIdx, show) => {
  const data = u.data[seriesIdx];
  const [from, to] = u.series[0].idxs ?? [0, data.length - 1];
  if (show) return null;
  const alone: number[] = [];
  for (let i = from; i <= to; i++) if (typeof data[i] === 'number' && typeof data[i - 1] !== 'number' && typeof data[i + 1] !== 'number') alone.push(i);
  return alone.length ? alone : null;
};

function pathBuilder(style: string, custom: Record<string, any>, paths: Paths): uPlot.Series.PathBuilder {
  if (style === 'points') return paths.points;
  if (style === 'bars') return paths.bars({ align: (custom.barAlignment ?? 0) as -1 | 0 | 1, width: custom.barWidthFactor ?? 0.6 });
  if (custom.lineInterpolation === 'smooth') return paths.spline;
  if (custom.lineInterpolation === 'stepBefore') return paths.stepBefore;
  if (custom.lineInterpolation === 'stepAfter') return paths.stepAfter;
  return paths.linear;
}

function gradientFill(color: string, opacity: number): uPlot.Series.Fill {
  return (u) => {
    const { top, height } = u.bbox;
    if (!Number.isFinite(top + height) || height <= 0) return withAlpha(color, opacity);
    const gradient = u.ctx.createLinearGradient(0, top, 0, top + height);
    gradient.addColorStop(0, withAlpha(color, Math.min(1, opacity * 1.6)));
    gradient.addColorStop(1, withAlpha(color, opacity * 0.1));
    return gradient;
  };
}

function fillBelowBands(series: readonly GraphSeries[], settings: GraphSettings): uPlot.Band[] {
  return series.flatMap((s, i): uPlot.Band[] => {
    const other = s.field.config.custom?.fillBelowTo ? series.findIndex((o) => o.name === s.field.config.custom!.fillBelowTo) : -1;
    if (other < 0 || settings.hidden.has(s.name)) return [];
    return [{ series: [i + 1, other + 1], fill: withAlpha(s.color, Number(s.field.config.custom?.fillOpacity ?? 10) / 100) }];
  });
}

function cursorOptions(settings: GraphSettings): uPlot.Cursor {
  return {
    points: { size: 7, width: 1.5, fill: (u, i) => (u.series[i].stroke as () => string)?.() ?? '', stroke: () => settings.tokens.surface },
    drag: { x: true, y: false, setScale: false, dist: 6 },
    focus: { prox: 24 },
    y: false,
  };
}

function timeAxis(settings: GraphSettings): uPlot.Axis {
  const { tokens, zone, range } = settings;
  const spansDays = range.to - range.from > 36e5 * 20;
  return {
    stroke: tokens.axis,
    font: `11px ${tokens.font}`,
    grid: { stroke: tokens.grid, width: 1 },
    ticks: { stroke: tokens.grid, width: 1, size: 4 },
    size: 26,
    gap: 4,
    space: spansDays && range.to - range.from < 864e5 * 4 ? 96 : 72,
    values: (_u, splits, _axis, _space, incr) => splits.map((ms) => timeTick(ms, incr, spansDays, zone)),
  };
}

/** As short as the distance between two ticks allows. */
export function timeTick(ms: number, incrementMs: number, spansDays: boolean, zone: TimeZone): string {
  const full = formatDateTime(ms, zone, incrementMs < 1000);
  if (incrementMs >= 28 * 864e5) return full.slice(0, 7);
  if (incrementMs >= 864e5) return full.slice(5, 10);
  const time = incrementMs < 1000 ? full.slice(11) : incrementMs < 6e4 ? full.slice(11, 19) : full.slice(11, 16);
  return spansDays ? `${full.slice(5, 10)} ${time}` : time;
}

interface ScaleEntry {
  key: string;
  config: FieldConfig;
  side: 'left' | 'right' | 'hidden';
  columns: Column[];
  thresholds: boolean;
}

/** Value scales: fields that differ in unit, limits or placement get their own axis; the first is left, later ones right. */
class ScaleSet {
  #entries = new Map<string, ScaleEntry>();
  #settings: GraphSettings;

  constructor(settings: GraphSettings) {
    this.#settings = settings;
  }

  /** The scale of a field; remembers its values for the limits. */
  add(field: Field, column: Column, visible: boolean): string {
    const { config } = field;
    const custom = config.custom ?? {};
    const log = custom.scaleDistribution?.type === 'log' ? custom.scaleDistribution.log : '';
    const placement: string = custom.axisPlacement ?? 'auto';
    const key = ['y', config.unit ?? '', placement === 'auto' ? '' : placement, config.min, config.max, custom.axisSoftMin, custom.axisSoftMax, custom.axisLabel, log].join('|');
    let entry = this.#entries.get(key);
    if (!entry) {
      const taken = [...this.#entries.values()].some((e) => e.side === 'left');
      entry = { key, config, side: placement === 'hidden' ? 'hidden' : placement === 'right' || (placement !== 'left' && taken) ? 'right' : 'left', columns: [], thresholds: false };
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
        stroke: tokens.axis,
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
        values: (_u, splits) => valueTicks(splits, entry.config, this.#settings),
      };
    });
  }

  thresholds(): Graph['thresholds'] {
    const { theme } = this.#settings;
    return [...this.#entries.values()].flatMap((entry) => {
      const mode = entry.config.custom?.thresholdsStyle?.mode ?? 'off';
      const { thresholds } = entry.config;
      if (mode === 'off' || !thresholds) return [];
      const extent = { min: entry.config.min ?? 0, max: entry.config.max ?? 100 };
      const at = (v: number | null) => (v === null ? -Infinity : thresholds.mode === 'percentage' ? extent.min + (v / 100) * (extent.max - extent.min) : v);
      return [{ scale: entry.key, mode, steps: thresholds.steps.map((s) => ({ value: at(s.value), color: resolveColor(s.color, theme) })) }];
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

function scaleOptions(entry: ScaleEntry): uPlot.Scale {
  const { config } = entry;
  const custom = config.custom ?? {};
  const logBase = custom.scaleDistribution?.type === 'log' ? custom.scaleDistribution.log : undefined;
  const fixed = { min: numberOr(config.min), max: numberOr(config.max) };
  const options: uPlot.Scale = { range: (_u, dataMin, dataMax) => valueRange(dataMin, dataMax, fixed, custom, !!logBase) };
  return logBase ? { ...options, distr: 3, log: logBase === 2 ? 2 : 10 } : options;
}

const numberOr = (v: unknown) => (typeof v === 'number' && Number.isFinite(v) ? v : undefined);

/** Limits of a value axis: fixed ends are kept, soft ends are taken in, free ends get a margin and come to zero where zero is near. */
export function valueRange(dataMin: number | null, dataMax: number | null, fixed: { min?: number; max?: number }, custom: Record<string, any>, log: boolean): [number, number] {
  let min = dataMin ?? 0;
  let max = dataMax ?? (dataMin === null ? 1 : dataMin);
  if (log) return [fixed.min && fixed.min > 0 ? fixed.min : 10 ** Math.floor(Math.log10(min > 0 ? min : 0.001)), fixed.max && fixed.max > 0 ? fixed.max : 10 ** Math.ceil(Math.log10(max > 0 ? max : 1))];
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
  return range[0] < range[1] ? range : [range[0], range[0] + 1];
}
