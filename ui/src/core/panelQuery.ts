/** A panel's targets as the queries that go to the server: range with the panel's own shift, step, interpolation. */
import { applyFilters, type AdhocFilter } from './adhoc';
import type { DatasourceRef, PanelModel, Target } from './dashboard';
import { missingDatasource } from './findDatasource';
import { fixedFrames } from './fixedData';
import type { Frame } from './frames';
import { buildExpression, hiddenInputs, isExpression } from './expressions';
import { interpolate, prometheusFormat, type Scope } from './interpolate';
import { durationMs, parseTime, stepFor, type TimeRange, type TimeZone } from './time';
import { unservedReason } from './unserved';
import { builtinScope } from './variables';

export interface ResolvedDatasource {
  uid: string;
  type: string;
  name?: string;
  /** Scrape interval, for instance `15s`. */
  timeInterval?: string;
}

export interface QuerySettings {
  range: TimeRange;
  scope: Scope;
  /** The panel's width, px: one point a pixel at most. */
  widthPx: number;
  resolve: (ref: DatasourceRef | undefined) => ResolvedDatasource | undefined;
  /** All that there are, to say what could be meant. */
  datasources?: readonly { uid: string; name: string; type: string }[];
  /** Ad hoc filters for the queries of one datasource. */
  filters?: (datasource: ResolvedDatasource) => AdhocFilter[];
  /** Finds the panel whose result another one shows. */
  panelById?: (id: number) => PanelModel | undefined;
  /** Its title, and its uid. */
  dashboard: string;
  dashboardUid?: string;
  user: string;
  zone: TimeZone;
}

export interface BuiltQuery {
  refId: string;
  datasource: { uid: string; type: string };
  intervalMs: number;
  maxDataPoints: number;
  [key: string]: unknown;
}

export interface PanelQueries {
  queries: BuiltQuery[];
  /** Of targets that hold their data. */
  fixed: Frame[];
  range: TimeRange;
  /** Targets that cannot be asked, with the reason. */
  errors: { refId: string; message: string }[];
  scope: Scope;
}

const DASHBOARD = '-- Dashboard --';
const MIXED = '-- Mixed --';

/** The panel's own range: `timeFrom` replaces the length, `timeShift` moves it back. */
export function panelRange(panel: Pick<PanelModel, 'timeFrom' | 'timeShift'>, range: TimeRange, now: number, zone: TimeZone): TimeRange {
  let { from, to } = range;
  if (panel.timeFrom) {
    from = parseTime(panel.timeFrom.startsWith('now') ? panel.timeFrom : `now-${panel.timeFrom}`, { now, zone }) ?? from;
    to = now;
  }
  const shift = panel.timeShift ? durationMs(panel.timeShift.replace(/^now-/, '')) : null;
  return shift ? { from: from - shift, to: to - shift } : { from, to };
}

export function buildQueries(panel: PanelModel, settings: QuerySettings): PanelQueries {
  const range = panelRange(panel, settings.range, settings.range.to, settings.zone);
  const scope: Scope = panel.scopedVars ? new Map([...settings.scope, ...panel.scopedVars]) : settings.scope;
  const errors: PanelQueries['errors'] = [];
  const queries: BuiltQuery[] = [];
  const fixed: Frame[] = panel.snapshot ? [...panel.snapshot] : [];
  const { targets, errors: unfound } = panel.snapshot ? { targets: [], errors: [] } : ownTargets(panel, settings, []);
  errors.push(...unfound);
  for (const { target, owner } of targets) {
    const ref = target.datasource?.uid && target.datasource.uid !== MIXED ? target.datasource : owner.datasource;
    if (isExpression(ref)) queries.push({ ...buildExpression(target, scope, new Set(owner.targets.map((t) => t.refId))), datasource: { uid: '__expr__', type: '__expr__' }, intervalMs: 1000, maxDataPoints: 1000 });
    else {
      const held = heldFrames(target, ref, errors);
      if (held) {
        fixed.push(...held);
        continue;
      }
      const filled = ref?.uid ? { ...ref, uid: interpolate(ref.uid, scope, 'raw') } : ref;
      const datasource = settings.resolve(filled);
      if (!datasource) errors.push({ refId: target.refId, message: missingDatasource(settings.datasources ?? [], filled) });
      else {
        const reason = unservedReason(datasource);
        if (reason) errors.push({ refId: target.refId, message: reason });
        else queries.push(buildQuery(panel, target, datasource, range, scope, settings));
      }
    }
  }
  return { queries, fixed, range, errors, scope };
}

/** Empty where the target holds data that cannot be read: the error is noted. */
function heldFrames(target: Target, ref: DatasourceRef | undefined, errors: PanelQueries['errors']): Frame[] | undefined {
  try {
    return fixedFrames(target, ref);
  } catch (error) {
    errors.push({ refId: target.refId, message: (error as Error).message });
    return [];
  }
}

/** The targets, with those of another panel in the place of a reference to it. `seen`: the ids on the way here. */
function ownTargets(panel: PanelModel, settings: QuerySettings, seen: readonly number[]): { targets: { target: Target; owner: PanelModel }[]; errors: PanelQueries['errors'] } {
  const path = [...seen, panel.id];
  const targets: { target: Target; owner: PanelModel }[] = [];
  const errors: PanelQueries['errors'] = [];
  const inputs = hiddenInputs(panel.targets, (t) => isExpression(t.datasource ?? panel.datasource));
  for (const target of panel.targets) {
    if (target.hide && !inputs.has(target.refId)) continue;
    if ((target.datasource?.uid ?? panel.datasource?.uid) !== DASHBOARD) {
      targets.push({ target, owner: panel });
      continue;
    }
    const source = settings.panelById?.(Number(target.panelId));
    if (!source) errors.push({ refId: target.refId, message: `There is no panel ${target.panelId} to take the result of` });
    else if (path.includes(source.id)) errors.push({ refId: target.refId, message: `Panels ${path.join(', ')} show each other` });
    else {
      const found = ownTargets(source, settings, path);
      targets.push(...found.targets);
      errors.push(...found.errors);
    }
  }
  return { targets, errors };
}

function buildQuery(panel: PanelModel, target: Target, datasource: ResolvedDatasource, range: TimeRange, scope: Scope, settings: QuerySettings): BuiltQuery {
  const maxDataPoints = panel.maxDataPoints ?? Math.max(100, Math.round(settings.widthPx));
  const scrapeMs = durationMs(datasource.timeInterval ?? '') ?? 15000;
  const minText = interpolate(String(target.interval || panel.interval || ''), scope, 'raw');
  const minMs = durationMs(minText) ?? (datasource.type === 'prometheus' ? scrapeMs : 1000);
  const factor = Number(target.intervalFactor) > 1 ? Number(target.intervalFactor) : 1;
  const intervalMs = stepFor(range, maxDataPoints, minMs) * factor;
  const builtins = builtinScope({ range, intervalMs, minIntervalMs: minMs, scrapeMs: durationMs(minText) ?? scrapeMs, dashboard: settings.dashboard, dashboardUid: settings.dashboardUid, user: settings.user, zone: settings.zone });
  const all: Scope = new Map([...builtins, ...scope]);
  // Hidden ones are asked for expressions only: `hide` tells the server to keep their answers to itself.
  const { interval: _interval, ...rest } = target;
  const query: BuiltQuery = { ...rest, datasource: { uid: datasource.uid, type: datasource.type }, intervalMs, maxDataPoints };
  for (const key of ['expr', 'legendFormat', 'query', 'rawSql']) {
    const value = target[key];
    if (typeof value === 'string') query[key] = interpolate(value, all, key === 'expr' ? prometheusFormat : 'glob');
  }
  const filters = settings.filters?.(datasource) ?? [];
  if (filters.length && typeof query.expr === 'string') query.expr = applyFilters(query.expr, filters, datasource.type === 'loki' ? 'logql' : 'promql');
  if (datasource.type === 'prometheus') {
    // Only graphs draw them.
    if (panel.type !== 'timeseries') delete query.exemplar;
    query.instant = target.instant === true;
    query.range = target.range === true || !query.instant;
  }
  if (datasource.type === 'loki') {
    query.queryType = target.queryType ?? (target.instant ? 'instant' : 'range');
    if (target.maxLines !== undefined) query.maxLines = Number(target.maxLines) || undefined;
  }
  return query;
}
