/** Panel settings + frames -> uPlot options and data. No DOM, no uPlot instance: the path builders are handed in. */
import type uPlot from 'uplot';
import { colorScale, withAlpha, type ThemeName } from '../../core/colors';
import { displayName } from '../../core/displayName';
import { lazyExtent, makeDisplay, type Display } from '../../core/display';
import type { Field, Frame } from '../../core/frames';
import { alignSeries, bridgeGaps, stackSeries, type Column } from '../../core/series';
import type { ThresholdLines } from '../../core/thresholdLines';
import { formatDateTime, type TimeRange, type TimeZone } from '../../core/time';
import { schemeFill, gradientFill } from './gradients';
import { ScaleSet } from './valueAxes';

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
  thresholds: ({ scale: string } & ThresholdLines)[];
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
  /** A further time axis for each. */
  moreZones?: readonly TimeZone[];
  theme: ThemeName;
  tokens: Tokens;
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
  /** `most`: px. */
  bars: (options: { align: -1 | 0 | 1; width: number; most: number }) => uPlot.Series.PathBuilder;
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
  const plotSeries = series.map((s, i) => seriesOptions(s, scales.add(s, drawn.columns[i], visible[i]), visible[i], settings));
  return {
    times: aligned.times,
    series,
    data: [aligned.times, ...drawn.columns] as uPlot.AlignedData,
    thresholds: scales.thresholds(),
    options: {
      ms: 1,
      tzDate: settings.tzDate,
      // On the right half a time's label.
      padding: [8, 17, 2, 4],
      legend: { show: false },
      cursor: cursorOptions(settings),
      scales: { x: { time: true, range: () => [settings.range.from, settings.range.to] }, ...scales.options() },
      axes: [timeAxis(settings), ...(settings.moreZones ?? []).map((zone) => timeAxis({ ...settings, zone }, zone)), ...scales.axes()],
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
  const scale = colorScale(field.config.color ? field.config : { ...field.config, color: { mode: 'palette-classic' } }, name, index, theme, lazyExtent(field));
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
  const scheme = custom.gradientMode === 'scheme' && s.display.scale.byValue;
  const dash = custom.lineStyle?.fill === 'dash' ? (custom.lineStyle.dash ?? [10, 10]) : custom.lineStyle?.fill === 'dot' ? (custom.lineStyle.dash ?? [0, 8]) : undefined;
  return {
    label: s.name,
    scale,
    show,
    stroke: scheme ? schemeFill(s.display.scale, s.field.config, scale, 1, s.color) : s.color,
    width,
    dash,
    cap: custom.lineStyle?.fill === 'dot' ? 'round' : undefined,
    fill: fill <= 0 ? undefined : scheme ? schemeFill(s.display.scale, s.field.config, scale, fill, s.color) : gradientFill(s.color, fill, custom.gradientMode),
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
  if (style === 'bars') return paths.bars({ align: (custom.barAlignment ?? 0) as -1 | 0 | 1, width: custom.barWidthFactor ?? 0.6, most: Number(custom.barMaxWidth) > 0 ? Number(custom.barMaxWidth) : 100 });
  if (custom.lineInterpolation === 'smooth') return paths.spline;
  if (custom.lineInterpolation === 'stepBefore') return paths.stepBefore;
  if (custom.lineInterpolation === 'stepAfter') return paths.stepAfter;
  return paths.linear;
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
    points: { size: 7, width: 1.5, fill: (u, i) => (u.series[i].stroke as (u: uPlot, i: number) => string)?.(u, i) ?? '', stroke: () => settings.tokens.surface },
    drag: { x: true, y: false, setScale: false, dist: 6 },
    focus: { prox: 24 },
    y: false,
  };
}

/** `label`: the zone, where there are several. */
function timeAxis(settings: GraphSettings, label?: string): uPlot.Axis {
  const { tokens, zone, range } = settings;
  const spansDays = range.to - range.from > 36e5 * 20;
  return {
    scale: 'x',
    side: 2,
    stroke: tokens.axis,
    font: `11px ${tokens.font}`,
    grid: { show: !label, stroke: tokens.grid, width: 1 },
    ticks: { show: !label, stroke: tokens.grid, width: 1, size: 4 },
    size: label ? 22 : 26,
    gap: 4,
    label: label || undefined,
    labelFont: `10px ${tokens.font}`,
    labelSize: 14,
    labelGap: 0,
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
