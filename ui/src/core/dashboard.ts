/**
 * The dashboard model: the server's one current classic schema, with defaults filled in and the layout worked out.
 * Anything missing or odd in the JSON becomes a default, never an exception: one bad panel must not take the page down.
 */
import type { AdhocFilter } from './adhoc';
import type { FieldConfigSource } from './fieldConfig';
import { framesOf } from './fixedData';
import type { DataLink, Frame } from './frames';
import type { Scope } from './interpolate';
import { interpolate } from './interpolate';
import type { RawRange } from './time';

export interface DatasourceRef {
  type?: string;
  uid?: string;
}

export interface Target {
  refId: string;
  datasource?: DatasourceRef;
  hide?: boolean;
  expr?: string;
  [key: string]: any;
}

/** Columns 0 to 24, rows of 30 px plus a gap of 8 px. */
export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface PanelModel {
  id: number;
  /** Unique on the page; repeats of one panel share `id`. */
  key: string;
  type: string;
  title: string;
  description: string;
  gridPos: GridPos;
  datasource?: DatasourceRef;
  targets: Target[];
  /** The library panel that it shows, or should. */
  library?: { uid: string; name: string };
  /** The data itself, of a dashboard that was kept with it. */
  snapshot?: Frame[];
  options: Record<string, any>;
  fieldConfig: FieldConfigSource;
  transformations: Transformation[];
  transparent: boolean;
  /** Points asked for; absent: the panel's width. */
  maxDataPoints?: number;
  /** Smallest step, for instance `1m` or `>1m`. */
  interval?: string;
  timeFrom?: string;
  timeShift?: string;
  /** The header does not mention the two. */
  hideTimeOverride?: boolean;
  repeat?: string;
  repeatDirection?: 'h' | 'v';
  maxPerRow?: number;
  links: DataLink[];
  /** Rows: hidden panels. */
  collapsed: boolean;
  panels: PanelModel[];
  /** Values of the repeat variables, for this copy only. */
  scopedVars?: Scope;
}

export interface Transformation {
  id: string;
  options: any;
  disabled?: boolean;
  filter?: { id: string; options?: any };
}

export interface VariableModel {
  type: string;
  name: string;
  label: string;
  query: any;
  datasource?: DatasourceRef;
  regex: string;
  sort: number;
  multi: boolean;
  includeAll: boolean;
  allValue: string | null;
  /** 0 never, 1 when the dashboard loads, 2 when the range changes. */
  refresh: number;
  /** 0 shown, 1 without label, 2 hidden. */
  hide: number;
  options: { text: string; value: string; selected?: boolean }[];
  current: { text?: string | string[]; value?: string | string[] };
  auto?: boolean;
  auto_count?: number;
  auto_min?: string;
  /** Ad hoc filters that the dashboard starts with. */
  filters?: AdhocFilter[];
}

export interface DashboardLink {
  title: string;
  type: 'link' | 'dashboards';
  url: string;
  tags: string[];
  targetBlank: boolean;
  keepTime: boolean;
  includeVars: boolean;
  asDropdown: boolean;
}

export interface DashboardModel {
  uid: string;
  title: string;
  description: string;
  tags: string[];
  timezone: string;
  time: RawRange;
  /** Refresh interval such as `30s`; empty: never. */
  refresh: string;
  refreshIntervals: string[];
  /** 0 off, 1 shared crosshair, 2 shared tooltip. */
  graphTooltip: number;
  panels: PanelModel[];
  variables: VariableModel[];
  annotations: any[];
  links: DashboardLink[];
}

export const GRID_COLUMNS = 24;

const text = (v: unknown): string => (typeof v === 'string' ? v : typeof v === 'number' ? String(v) : '');
const array = (v: unknown): any[] => (Array.isArray(v) ? v : []);
const object = (v: unknown): Record<string, any> => (v && typeof v === 'object' && !Array.isArray(v) ? (v as Record<string, any>) : {});

export function parseDashboard(raw: any): DashboardModel {
  const time = object(raw?.time);
  let nextId = 1_000_000;
  return {
    uid: text(raw?.uid),
    title: text(raw?.title) || 'Untitled',
    description: text(raw?.description),
    tags: array(raw?.tags).map(text),
    timezone: text(raw?.timezone) || 'browser',
    time: { from: text(time.from) || 'now-6h', to: text(time.to) || 'now' },
    refresh: text(raw?.refresh),
    refreshIntervals: array(object(raw?.timepicker).refresh_intervals).map(text),
    graphTooltip: Number(raw?.graphTooltip) || 0,
    panels: array(raw?.panels).map((p) => parsePanel(p, () => nextId++)),
    variables: array(object(raw?.templating).list).map(parseVariable),
    annotations: array(object(raw?.annotations).list),
    links: array(raw?.links).map(parseLink),
  };
}

function parsePanel(raw: any, newId: () => number): PanelModel {
  const id = typeof raw?.id === 'number' ? raw.id : newId();
  const grid = object(raw?.gridPos);
  const config = object(raw?.fieldConfig);
  return {
    id,
    key: String(id),
    type: text(raw?.type) || 'timeseries',
    title: text(raw?.title),
    description: text(raw?.description),
    gridPos: { x: Number(grid.x) || 0, y: Number(grid.y) || 0, w: Math.min(GRID_COLUMNS, Number(grid.w) || 12), h: Number(grid.h) || 8 },
    datasource: raw?.datasource ? { type: raw.datasource.type, uid: raw.datasource.uid } : undefined,
    targets: array(raw?.targets).map((t, i) => ({ ...t, refId: text(t?.refId) || String.fromCharCode(65 + (i % 26)) })),
    library: raw?.libraryPanel ? { uid: text(raw.libraryPanel.uid), name: text(raw.libraryPanel.name) } : undefined,
    snapshot: Array.isArray(raw?.snapshotData) ? framesOf(raw.snapshotData) : undefined,
    options: object(raw?.options),
    fieldConfig: { defaults: object(config.defaults), overrides: array(config.overrides).filter((o) => o?.matcher && Array.isArray(o.properties)) },
    transformations: array(raw?.transformations).filter((t) => typeof t?.id === 'string'),
    transparent: raw?.transparent === true,
    maxDataPoints: Number(raw?.maxDataPoints) > 0 ? Number(raw.maxDataPoints) : undefined,
    interval: text(raw?.interval) || undefined,
    timeFrom: text(raw?.timeFrom) || undefined,
    timeShift: text(raw?.timeShift) || undefined,
    hideTimeOverride: raw?.hideTimeOverride === true,
    repeat: text(raw?.repeat) || undefined,
    repeatDirection: raw?.repeatDirection === 'v' ? 'v' : 'h',
    maxPerRow: Number(raw?.maxPerRow) || undefined,
    links: array(raw?.links),
    collapsed: raw?.collapsed === true,
    panels: array(raw?.panels).map((p) => parsePanel(p, newId)),
  };
}

function parseVariable(raw: any): VariableModel {
  return {
    type: text(raw?.type) || 'custom',
    name: text(raw?.name),
    label: text(raw?.label) || text(raw?.name),
    query: raw?.query ?? '',
    datasource: raw?.datasource ? { type: raw.datasource.type, uid: raw.datasource.uid } : undefined,
    regex: text(raw?.regex),
    sort: Number(raw?.sort) || 0,
    multi: raw?.multi === true,
    includeAll: raw?.includeAll === true,
    allValue: text(raw?.allValue) || null,
    refresh: Number(raw?.refresh) || 0,
    hide: Number(raw?.hide) || 0,
    options: array(raw?.options).filter((o) => o && o.value !== '$__all'),
    current: object(raw?.current),
    auto: raw?.auto === true,
    auto_count: Number(raw?.auto_count) || 30,
    auto_min: text(raw?.auto_min) || '10s',
    filters: array(raw?.filters ?? object(raw?.current).value).filter((f) => f && typeof f === 'object' && f.key).map((f) => ({ key: text(f.key), operator: text(f.operator) || '=', values: Array.isArray(f.values) && f.values.length ? f.values.map(text) : [text(f.value)] })),
  };
}

function parseLink(raw: any): DashboardLink {
  return { title: text(raw?.title), type: raw?.type === 'dashboards' ? 'dashboards' : 'link', url: text(raw?.url), tags: array(raw?.tags).map(text), targetBlank: raw?.targetBlank === true, keepTime: raw?.keepTime === true, includeVars: raw?.includeVars === true, asDropdown: raw?.asDropdown === true };
}

/** A row and what it holds; panels above the first row stand in a section without one. */
export interface Section {
  row?: PanelModel;
  panels: PanelModel[];
}

/** Panels in order, grouped under their rows. A collapsed row keeps its panels inside itself, an open one is followed by them. */
export function sections(panels: readonly PanelModel[]): Section[] {
  const ordered = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  const result: Section[] = [{ panels: [] }];
  for (const panel of ordered) {
    if (panel.type !== 'row') result.at(-1)!.panels.push(panel);
    else result.push({ row: panel, panels: [...panel.panels] });
  }
  return result.filter((s) => s.row || s.panels.length);
}

/** Copies of a repeated panel, one a value, laid out in its direction. Panels below move down by what the copies add. */
export function repeatPanels(panels: readonly PanelModel[], valuesOf: (name: string) => { text: string; value: string }[]): PanelModel[] {
  const result: PanelModel[] = [];
  let added = 0;
  for (const panel of [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    const values = panel.repeat ? valuesOf(panel.repeat) : [];
    const base = { ...panel, gridPos: { ...panel.gridPos, y: panel.gridPos.y + added } };
    if (!values.length) {
      result.push(base);
      continue;
    }
    const perRow = panel.repeatDirection === 'v' ? 1 : Math.min(values.length, panel.maxPerRow ?? 4);
    const width = panel.repeatDirection === 'v' ? panel.gridPos.w : Math.floor(GRID_COLUMNS / perRow);
    values.forEach((v, i) => {
      const gridPos = { w: width, h: panel.gridPos.h, x: panel.repeatDirection === 'v' ? panel.gridPos.x : (i % perRow) * width, y: base.gridPos.y + Math.floor(i / perRow) * panel.gridPos.h };
      result.push({ ...panel, key: `${panel.key}:${i}`, gridPos, scopedVars: scoped(panel, v) });
    });
    added += (Math.ceil(values.length / perRow) - 1) * panel.gridPos.h;
  }
  return result;
}

/** A repeated row is copied with everything in it. */
export function repeatSections(all: readonly Section[], valuesOf: (name: string) => { text: string; value: string }[]): Section[] {
  return all.flatMap((section) => {
    const values = section.row?.repeat ? valuesOf(section.row.repeat) : [];
    if (!section.row || !values.length) return [{ ...section, panels: repeatPanels(section.panels, valuesOf) }];
    return values.map((v, i) => {
      const vars = scoped(section.row!, v);
      const panels = section.panels.map((p) => ({ ...p, key: `${p.key}/${i}`, scopedVars: vars }));
      return { row: { ...section.row!, key: `${section.row!.key}/${i}`, scopedVars: vars }, panels: repeatPanels(panels, valuesOf) };
    });
  });
}

function scoped(panel: PanelModel, v: { text: string; value: string }): Scope {
  return new Map([...(panel.scopedVars ?? []), [panel.repeat!, { value: v.value, text: v.text }]]);
}

/** Panels pulled up over empty rows, so that gaps left by collapsed rows close. Grid rows count from 0 within the section. */
export function packed(panels: readonly PanelModel[]): PanelModel[] {
  const skyline = new Array<number>(GRID_COLUMNS).fill(0);
  return [...panels]
    .sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)
    .map((panel) => {
      const { x, w, h } = panel.gridPos;
      const left = Math.min(Math.max(0, x), GRID_COLUMNS - 1);
      const right = Math.min(GRID_COLUMNS, left + w);
      const y = Math.max(...skyline.slice(left, right));
      skyline.fill(y + h, left, right);
      return { ...panel, gridPos: { x: left, y, w: right - left, h } };
    });
}

export function panelTitle(panel: PanelModel, scope: Scope): string {
  return interpolate(panel.title, panel.scopedVars ? new Map([...scope, ...panel.scopedVars]) : scope, 'text');
}

export function findPanel(panels: readonly PanelModel[], id: number): PanelModel | undefined {
  for (const panel of panels) {
    if (panel.id === id) return panel;
    const inner = findPanel(panel.panels, id);
    if (inner) return inner;
  }
  return undefined;
}
