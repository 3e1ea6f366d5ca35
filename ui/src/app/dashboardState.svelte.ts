/** One opened dashboard: its model, time range, variables and refresh; what panels need to ask their queries. */
import { storedAnnotations } from '../api/annotations';
import { dashboardByUid, type DashboardAnswer } from '../api/dashboards';
import { runQueries } from '../api/query';
import { askVariable } from '../api/variables';
import { annotationEvents, annotationQuery, annotationSources, type AnnotationEvent, type AnnotationSource } from '../core/annotations';
import { filterText, parseFilter, type AdhocFilter } from '../core/adhoc';
import { parseDashboard, type DatasourceRef, type DashboardModel, type VariableModel } from '../core/dashboard';
import { type Scope, type ScopeEntry, interpolate } from '../core/interpolate';
import { durationMs, isRelative, resolveRange, type RawRange, type TimeRange, type TimeZone } from '../core/time';
import { builtinScope, dependsOn, initialSelection, savedSelection, intervalOptions, parseVariableQuery, queryOptions, scopeEntry, staticOptions, type Option } from '../core/variables';
import { missingDatasource } from '../core/findDatasource';
import { unservedReason } from '../core/unserved';
import { parseRegex } from '../core/display';
import { router } from './router.svelte';
import { session } from './session.svelte';

export interface VariableState {
  model: VariableModel;
  options: Option[];
  selected: string[];
  error?: string;
}

export class DashboardState {
  model = $state.raw<DashboardModel | null>(null);
  meta = $state.raw<DashboardAnswer['meta']>({});
  error = $state('');
  variables = $state.raw<VariableState[]>([]);
  /** False until every variable has its options: queries wait for it. */
  ready = $state(false);
  /** Bumped by every refresh; panels ask again. */
  tick = $state(0);
  /** The instant that relative ranges refer to; moves with `tick`. */
  now = $state(Date.now());

  #lastRange: TimeRange = { from: 0, to: 0 };
  raw = $derived.by((): RawRange => ({ from: router.query.get('from') ?? this.model?.time.from ?? 'now-6h', to: router.query.get('to') ?? this.model?.time.to ?? 'now' }));
  zone = $derived<TimeZone>(router.query.get('timezone') ?? this.model?.timezone ?? 'browser');
  range = $derived.by((): TimeRange => {
    const next = resolveRange(this.raw, this.now, this.zone);
    // The same object while the range stands still, so that nothing that depends on it is made again.
    return this.#lastRange.from === next.from && this.#lastRange.to === next.to ? this.#lastRange : (this.#lastRange = next);
  });
  refresh = $derived(router.query.get('refresh') ?? this.model?.refresh ?? '');
  scope = $derived.by((): Scope => {
    const entries = this.variables.map((v): [string, ScopeEntry] => [v.model.name, scopeEntry(v.model, v.options, v.selected, this.range)]);
    return new Map([...entries]);
  });
  /** Changes exactly when a query could: what panels wait for. Objects of equal content are no change. */
  queryKey = $derived(JSON.stringify([this.tick, this.range.from, this.range.to, this.zone, [...this.scope]]));
  /** For titles, texts and links: variables and the range. */
  titleScope = $derived.by((): Scope => new Map([...builtinScope({ range: this.range, intervalMs: 15000, minIntervalMs: 15000, dashboard: this.model?.title, dashboardUid: this.#uid, user: session.user?.login, zone: this.zone }), ...this.scope]));

  sources = $derived<AnnotationSource[]>(annotationSources(this.model?.annotations ?? []));
  /** Sources that were switched, by name. */
  switched = $state.raw<Record<string, boolean>>({});
  annotations = $state.raw<AnnotationEvent[]>([]);
  annotationError = $state('');
  #annotationsKey = '';
  #annotationsAbort = new AbortController();

  readonly #uid: string;
  #abort = new AbortController();

  constructor(uid: string) {
    this.#uid = uid;
  }

  async load(): Promise<void> {
    try {
      const answer = await dashboardByUid(this.#uid);
      this.meta = answer.meta ?? {};
      this.model = parseDashboard(answer.dashboard);
      this.error = '';
    } catch (e) {
      this.error = (e as Error).message;
      return;
    }
    await this.#loadVariables();
  }

  /** The ad hoc filters that hold for a datasource. */
  filters(datasource: { uid: string }): AdhocFilter[] {
    const holds = this.variables.filter((v) => v.model.type === 'adhoc' && this.#datasource(v.model.datasource)?.uid === datasource.uid);
    return holds.flatMap((v) => v.selected.flatMap((text) => parseFilter(text) ?? []));
  }

  /** Labels that an ad hoc filter may be about; with a label, its values. */
  async suggest(model: VariableModel, label?: string): Promise<string[]> {
    const datasource = this.#datasource(model.datasource);
    if (!datasource) return [];
    return askVariable(datasource, label ? { kind: 'labelValues', label } : { kind: 'labelNames' }, this.range, this.#abort.signal);
  }

  #datasource(ref: DatasourceRef | undefined) {
    return session.datasource(ref?.uid ? { ...ref, uid: interpolate(ref.uid, this.scope, 'raw') } : ref);
  }

  shows(source: AnnotationSource): boolean {
    return this.switched[source.name] ?? source.enable;
  }

  toggleAnnotations(source: AnnotationSource): void {
    this.switched = { ...this.switched, [source.name]: !this.shows(source) };
    this.askAnnotations();
  }

  /** Called by the panels that draw them, as they ask their own queries, so that all goes out together; once for each state of range and variables. */
  askAnnotations(): void {
    const key = JSON.stringify([this.queryKey, this.switched]);
    if (key === this.#annotationsKey) return;
    this.#annotationsKey = key;
    this.#annotationsAbort.abort();
    const controller = (this.#annotationsAbort = new AbortController());
    const asked = this.sources.filter((s) => this.shows(s)).map((s) => (s.stored ? storedAnnotations(s, this.#uid, this.range) : this.#askSource(s, controller.signal)));
    void Promise.allSettled(asked).then((answers) => {
      if (controller.signal.aborted) return;
      const found = answers.flatMap((a) => (a.status === 'fulfilled' ? a.value : []));
      // The same ones again are no reason to paint.
      if (JSON.stringify(found) !== JSON.stringify(this.annotations)) this.annotations = found;
      this.annotationError = answers.flatMap((a) => (a.status === 'rejected' ? [(a.reason as Error).message] : [])).join('; ');
    });
  }

  async #askSource(source: AnnotationSource, signal: AbortSignal): Promise<AnnotationEvent[]> {
    const found = this.#datasource(source.datasource);
    if (!found) throw new Error(`${source.name}: there is no datasource "${source.datasource?.uid ?? ''}"`);
    const query = annotationQuery(source, 'Anno', { uid: found.uid, type: found.type, timeInterval: found.jsonData?.timeInterval }, this.range, this.scope, this.filters(found));
    const [answer] = await runQueries([query], this.range, signal);
    if (answer.error) throw new Error(`${source.name}: ${answer.error}`);
    return annotationEvents(source, answer.frames, query.intervalMs);
  }

  dispose(): void {
    this.#annotationsAbort.abort();
    this.#abort.abort();
  }

  /** Ask everything again, now. */
  refreshNow(): void {
    this.now = Date.now();
    this.tick += 1;
    if (this.variables.some((v) => v.model.refresh === 2)) void this.#updateVariables((v) => v.refresh === 2);
  }

  setRange(raw: RawRange): void {
    router.setQuery({ from: raw.from, to: raw.to });
    this.now = Date.now();
    this.tick += 1;
    void this.#updateVariables((v) => v.refresh === 2);
  }

  setRefresh(interval: string): void {
    router.setQuery({ refresh: interval }, { replace: true });
  }

  /** ms between refreshes; 0: none. Ranges that do not end now are not refreshed. */
  refreshMs(): number {
    return isRelative(this.raw) ? (durationMs(this.refresh) ?? 0) : 0;
  }

  select(name: string, values: string[]): void {
    this.variables = this.variables.map((v) => (v.model.name === name ? { ...v, selected: values } : v));
    const shown = values.map((v) => (v === '$__all' ? 'All' : v));
    router.setQuery({ [`var-${name}`]: shown.length ? shown : '' }, { replace: true });
    void this.#updateVariables((model) => model.name !== name && dependsOn(model, new Set([name])));
  }

  async #loadVariables(): Promise<void> {
    this.ready = false;
    this.variables = (this.model?.variables ?? []).map((model) => ({ model, options: [], selected: [] }));
    await this.#updateVariables(() => true);
    this.ready = true;
  }

  /** Recompute options in order, so that a variable sees those before it; whatever depends on a change follows. */
  async #updateVariables(wanted: (model: VariableModel) => boolean): Promise<void> {
    const changed = new Set<string>();
    for (const { model } of [...this.variables]) {
      if (!wanted(model) && !dependsOn(model, changed)) continue;
      const before = this.variables.find((v) => v.model === model);
      const next = await this.#resolve(model, before?.selected.length ? before.selected : undefined);
      if (this.#abort.signal.aborted) return;
      if (JSON.stringify(before?.selected) !== JSON.stringify(next.selected)) changed.add(model.name);
      this.variables = this.variables.map((v) => (v.model === model ? next : v));
    }
  }

  async #resolve(model: VariableModel, current: string[] | undefined): Promise<VariableState> {
    const fromUrl = router.query.has(`var-${model.name}`) ? router.query.getAll(`var-${model.name}`).filter((v) => v !== '') : undefined;
    if (model.type === 'adhoc') return { model, options: [], selected: current ?? fromUrl ?? (model.filters ?? []).map(filterText) };
    try {
      const options = await this.#options(model);
      const kept = current?.every((c) => c === '$__all' || options.some((o) => o.value === c)) ? current : undefined;
      const selected = kept ?? initialSelection(model, options, fromUrl?.length ? fromUrl : undefined);
      return { model, options, selected };
    } catch (e) {
      if (this.#abort.signal.aborted) throw e;
      return { model, options: [], selected: fromUrl ?? current ?? savedSelection(model), error: (e as Error).message };
    }
  }

  async #options(model: VariableModel): Promise<Option[]> {
    if (model.type === 'datasource') return this.#datasourceOptions(model);
    if (model.type === 'interval') return intervalOptions(model);
    if (model.type !== 'query') return staticOptions(model);
    const scope: Scope = new Map([...builtinScope({ range: this.range, intervalMs: 15000, minIntervalMs: 15000 }), ...this.scope]);
    const ref = model.datasource?.uid ? { ...model.datasource, uid: interpolate(model.datasource.uid, scope, 'raw') } : model.datasource;
    const datasource = session.datasource(ref);
    if (!datasource) throw new Error(missingDatasource(session.datasources, ref));
    const reason = unservedReason(datasource);
    if (reason) throw new Error(reason);
    const request = parseVariableQuery(model.query, scope);
    if (!request) return [];
    return queryOptions(model, await askVariable(datasource, request, this.range, this.#abort.signal), scope);
  }

  #datasourceOptions(model: VariableModel): Option[] {
    const regex = model.regex ? parseRegex(model.regex) : undefined;
    return session.datasources.filter((d) => d.type === model.query && (!regex || regex.test(d.name))).map((d) => ({ text: d.name, value: d.uid }));
  }
}
