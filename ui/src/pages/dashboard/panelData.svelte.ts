/** A panel's queries: asked when it is near the view and range, variables or a refresh say so; the last good answer stays until there is a better one. */
import { untrack } from 'svelte';
import { runQueries } from '../../api/query';
import type { DashboardState } from '../../app/dashboardState.svelte';
import { session } from '../../app/session.svelte';
import { findPanel, type PanelModel } from '../../core/dashboard';
import type { DerivedField } from '../../core/derivedFields';
import { exemplarsOf, isExemplarFrame, type ExemplarDestination } from '../../core/exemplars';
import { applyFieldConfig } from '../../core/fieldConfig';
import { isEmpty, type Frame } from '../../core/frames';
import { interpolate } from '../../core/interpolate';
import { buildQueries, type QuerySettings } from '../../core/panelQuery';
import { sameFrames } from '../../core/sameFrames';
import { nameTableValues } from '../../core/tableValues';
import type { TimeRange } from '../../core/time';
import type { PanelCode } from './panelCode.svelte';

export interface DataInput {
  readonly panel: PanelModel;
  readonly dashboard: DashboardState;
  readonly near: boolean;
  /** Px; 0: not known yet. */
  readonly width: number;
}

/** To be made while a component is: it has effects. */
export class PanelData {
  readonly #input: DataInput;
  readonly #code: PanelCode;
  loading = $state(false);
  errors = $state.raw<string[]>([]);
  answer = $state.raw<{ frames: Frame[]; range: TimeRange } | null>(null);
  /** The datasource that each query went to. */
  #askedOf: ReadonlyMap<string, string> = new Map();
  /** What the answer on the screen was asked for. */
  #answeredKey = '';

  /** Names and values of the panel's variables. */
  readonly scope = $derived.by(() => {
    const { panel, dashboard } = this.#input;
    return panel.scopedVars ? new Map([...dashboard.titleScope, ...panel.scopedVars]) : dashboard.titleScope;
  });
  /** It has something to ask. */
  readonly asks = $derived.by(() => !this.#code.kind.withoutQueries && (this.#input.panel.snapshot !== undefined || this.#input.panel.targets.some((t) => !t.hide)));
  readonly frames = $derived.by(() => (this.answer ? this.#shown(this.answer.frames) : []));
  readonly exemplars = $derived.by(() => (this.answer && this.#input.panel.type === 'timeseries' ? exemplarsOf(this.answer.frames, (refId) => this.#listOf<ExemplarDestination>(refId, 'exemplarTraceIdDestinations')) : undefined));
  /** What is on the screen is older than what went wrong. */
  readonly stale = $derived.by(() => this.errors.length > 0 && this.answer !== null && !isEmpty(this.frames));
  readonly empty = $derived.by(() => this.asks && this.answer !== null && !this.errors.length && isEmpty(this.frames));
  readonly state = $derived.by(() => (this.loading || !this.#code.Panel || (this.asks && !this.answer && !this.errors.length) ? 'loading' : this.errors.length ? 'error' : this.empty ? 'empty' : 'done'));

  constructor(input: DataInput, code: PanelCode) {
    this.#input = input;
    this.#code = code;
    // Range, variables and refreshes say when to ask again; the width only the first time.
    $effect(() => {
      const { near, dashboard } = input;
      if (!near || !dashboard.ready || !this.asks || !dashboard.model) return;
      const key = `${session.epoch} ${dashboard.queryKey}`;
      // Scrolled away and back: what is here still holds.
      if (key === this.#answeredKey) return;
      return untrack(() => this.#ask(key));
    });
  }

  /** For panels that look further back. The range is meant as it is: the panel's own shift is in it. */
  askOver = async (range: TimeRange, signal: AbortSignal): Promise<Frame[]> => {
    const built = buildQueries({ ...this.#input.panel, timeFrom: undefined, timeShift: undefined }, this.#settings(range));
    const answers = await runQueries(built.queries, range, signal);
    const wrong = answers.find((a) => a.error);
    if (wrong) throw new Error(wrong.error);
    return this.#shown(answers.flatMap((a) => a.frames));
  };

  /** What the datasource of a query finds in log lines. */
  derivedFields = (refId: string | undefined): DerivedField[] => this.#listOf(refId, 'derivedFields');

  /** Returns how to give up. */
  #ask(key: string): () => void {
    const { panel, dashboard } = this.#input;
    const controller = new AbortController();
    const built = buildQueries(panel, this.#settings(dashboard.range));
    this.#askedOf = new Map(built.queries.map((q) => [q.refId, q.datasource.uid]));
    this.loading = true;
    if (panel.type === 'timeseries') dashboard.askAnnotations();
    runQueries(built.queries, built.range, controller.signal).then(
      (answers) => {
        if (controller.signal.aborted) return;
        const found = [...built.fixed, ...answers.flatMap((a) => a.frames)];
        this.errors = [...new Set([...built.errors.map((e) => e.message), ...answers.flatMap((a) => (a.error ? [a.error] : []))])];
        if (!this.errors.length || found.length || !this.answer) this.#take(found, built.range);
        if (!this.errors.length) this.#answeredKey = key;
        this.loading = false;
      },
      (error: Error) => {
        if (controller.signal.aborted) return;
        this.errors = [error.message];
        this.loading = false;
      },
    );
    return () => controller.abort();
  }

  #settings(range: TimeRange): QuerySettings {
    const { dashboard, width } = this.#input;
    return {
      range,
      scope: dashboard.scope,
      widthPx: width || 600,
      resolve: (ref) => {
        const found = session.datasource(ref);
        return found && { uid: found.uid, type: found.type, name: found.name, timeInterval: found.jsonData?.timeInterval };
      },
      panelById: (id) => findPanel(dashboard.model!.panels, id),
      filters: (datasource) => dashboard.filters(datasource),
      dashboard: dashboard.model!.title,
      dashboardUid: dashboard.model!.uid,
      user: session.user?.login ?? '',
      zone: dashboard.zone,
    };
  }

  /** An answer that changes nothing paints nothing; one that only moves the range keeps the frames. */
  #take(found: Frame[], range: TimeRange): void {
    const { answer } = this;
    const same = answer && sameFrames(answer.frames, found);
    if (same && answer.range.from === range.from && answer.range.to === range.to) return;
    this.answer = { frames: same ? answer.frames : found, range };
  }

  /** With the panel's transformations and field settings. */
  #shown(found: Frame[]): Frame[] {
    const { panel } = this.#input;
    const named = nameTableValues(found.filter((f) => !isExemplarFrame(f)));
    const { transform } = this.#code;
    return applyFieldConfig(transform ? transform(named, panel.transformations, (text) => interpolate(text, this.scope)) : named, panel.fieldConfig);
  }

  /** A list among the settings of the datasource that a query went to. */
  #listOf<T>(refId: string | undefined, setting: string): T[] {
    const found = session.datasource(this.#askedOf.get(refId ?? ''))?.jsonData?.[setting];
    return Array.isArray(found) ? found : [];
  }
}
