/** Annotations without I/O: what a dashboard asks for, and the events in the answers. */
import { applyFilters, type AdhocFilter } from './adhoc';
import type { DatasourceRef } from './dashboard';
import type { Frame, Labels } from './frames';
import { timeField } from './frames';
import { interpolate, prometheusFormat, type Scope } from './interpolate';
import type { BuiltQuery, ResolvedDatasource } from './panelQuery';
import { durationMs, stepFor, type TimeRange } from './time';
import { builtinScope } from './variables';

export interface AnnotationSource {
  name: string;
  /** On when the dashboard opens. */
  enable: boolean;
  /** Without a toggle. */
  hide: boolean;
  color: string;
  /** Kept by the server, not asked of a datasource. */
  stored: boolean;
  datasource?: DatasourceRef;
  expr: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string[];
  step: string;
  /** Values are times, ms. */
  useValueForTime: boolean;
  /** Stored ones with these tags, of any dashboard; undefined: this dashboard's. */
  tags?: string[];
  matchAny: boolean;
  limit: number;
  /** Panels that show it, or do not. */
  filter?: { exclude: boolean; ids: number[] };
}

/** Epoch ms; with `timeEnd`, a region. */
export interface AnnotationEvent {
  time: number;
  timeEnd?: number;
  title: string;
  text: string;
  tags: string[];
  color: string;
  /** Stored for one panel only. */
  panelId?: number;
  filter?: AnnotationSource['filter'];
}

const text = (v: unknown): string => (typeof v === 'string' ? v : '');

export function annotationSources(list: readonly any[]): AnnotationSource[] {
  return list.filter((raw) => raw && typeof raw === 'object').map(parseSource);
}

function parseSource(raw: any): AnnotationSource {
  const target = raw.target ?? {};
  const uid = text(raw.datasource?.uid);
  return {
    name: text(raw.name) || 'Annotations',
    enable: raw.enable !== false,
    hide: raw.hide === true,
    color: text(raw.iconColor) || 'blue',
    stored: raw.builtIn === 1 || uid === '-- Grafana --' || uid === 'grafana' || raw.datasource?.type === 'grafana',
    datasource: raw.datasource ? { type: raw.datasource.type, uid: raw.datasource.uid } : undefined,
    expr: text(raw.expr) || text(target.expr),
    titleFormat: text(raw.titleFormat),
    textFormat: text(raw.textFormat),
    tagKeys: text(raw.tagKeys).split(',').map((s) => s.trim()).filter(Boolean),
    step: text(raw.step) || text(target.step) || text(target.interval),
    useValueForTime: raw.useValueForTime === true || raw.useValueForTime === 'on',
    tags: target.type === 'tags' || (raw.type === 'tags' && Array.isArray(raw.tags)) ? [target.tags ?? raw.tags ?? []].flat().map(String) : undefined,
    matchAny: (target.matchAny ?? raw.matchAny) === true,
    limit: Number(target.limit ?? raw.limit) || 100,
    filter: Array.isArray(raw.filter?.ids) ? { exclude: raw.filter.exclude === true, ids: raw.filter.ids.map(Number) } : undefined,
  };
}

export function annotationQuery(source: AnnotationSource, refId: string, datasource: ResolvedDatasource, range: TimeRange, scope: Scope, filters: AdhocFilter[] = []): BuiltQuery {
  const minMs = durationMs(interpolate(source.step, scope, 'raw')) ?? 60000;
  const intervalMs = stepFor(range, 1000, minMs);
  const all: Scope = new Map([...builtinScope({ range, intervalMs, minIntervalMs: minMs, scrapeMs: durationMs(datasource.timeInterval ?? '') ?? 15000 }), ...scope]);
  const loki = datasource.type === 'loki';
  const expr = applyFilters(interpolate(source.expr, all, prometheusFormat), filters, loki ? 'logql' : 'promql');
  return { refId, datasource: { uid: datasource.uid, type: datasource.type }, expr, intervalMs, maxDataPoints: 1000, ...(loki ? { queryType: 'range', maxLines: source.limit } : { range: true, instant: false }) };
}

/** Events of an answer. A series' neighbouring points that are not 0 are one region; a log line is an event. */
export function annotationEvents(source: AnnotationSource, frames: readonly Frame[], stepMs: number): AnnotationEvent[] {
  return frames.flatMap((frame) => {
    const times = timeField(frame)?.values as number[] | undefined;
    if (!times) return [];
    const line = frame.fields.find((f) => f.type === 'string');
    const number = frame.fields.find((f) => f.type === 'number');
    if (number) return seriesEvents(source, times, number.values, number.labels ?? {}, stepMs);
    const labels = frame.fields.find((f) => f.type === 'other')?.values ?? [];
    return times.map((time, i) => ({ time, ...describe(source, labels[i] ?? {}, String(line?.values[i] ?? '')) }));
  });
}

function seriesEvents(source: AnnotationSource, times: number[], values: (number | null)[], labels: Labels, stepMs: number): AnnotationEvent[] {
  const about = describe(source, labels, undefined);
  if (source.useValueForTime) return [...new Set(values.filter((v): v is number => Number.isFinite(v) && v! > 0))].map((time) => ({ time, ...about }));
  const events: AnnotationEvent[] = [];
  let last = -Infinity;
  times.forEach((time, i) => {
    if (!values[i]) return;
    if (time - last <= stepMs) events.at(-1)!.timeEnd = time;
    else events.push({ time, ...about });
    last = time;
  });
  return events;
}

function describe(source: AnnotationSource, labels: Labels, line: string | undefined): Omit<AnnotationEvent, 'time'> {
  const fill = (format: string) => format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, name: string) => labels[name] ?? '');
  const title = fill(source.titleFormat || (line === undefined ? '{{alertname}}' : '')) || source.name;
  const tags = (source.tagKeys.length ? source.tagKeys : line === undefined ? ['alertname'] : []).flatMap((key) => labels[key] || []);
  return { title, text: source.textFormat ? fill(source.textFormat) : (line ?? fill('{{instance}}')), tags, color: source.color, filter: source.filter };
}

/** Events that a panel shows. */
export function eventsFor(panelId: number, events: readonly AnnotationEvent[]): AnnotationEvent[] {
  return events.filter((e) => (!e.panelId || e.panelId === panelId) && (!e.filter || e.filter.ids.includes(panelId) !== e.filter.exclude));
}
