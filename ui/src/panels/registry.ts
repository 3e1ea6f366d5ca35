/** Kinds of panels, each its own chunk: a dashboard loads those that it has. */
import type { Component } from 'svelte';
import type { PanelProps } from './types';

export interface PanelKind {
  load: () => Promise<{ default: Component<PanelProps> }>;
  /** Shows something of its own where there are no frames. */
  withoutQueries?: boolean;
}

const states = () => import('./stateTimeline/StateTimelinePanel.svelte');

export const PANELS: Readonly<Record<string, PanelKind>> = {
  alertlist: { load: () => import('./alertlist/AlertlistPanel.svelte'), withoutQueries: true },
  barchart: { load: () => import('./barchart/BarChartPanel.svelte') },
  bargauge: { load: () => import('./bargauge/BarGaugePanel.svelte') },
  dashlist: { load: () => import('./dashlist/DashlistPanel.svelte'), withoutQueries: true },
  gauge: { load: () => import('./gauge/GaugePanel.svelte') },
  heatmap: { load: () => import('./heatmap/HeatmapPanel.svelte') },
  histogram: { load: () => import('./histogram/HistogramPanel.svelte') },
  logs: { load: () => import('./logs/LogsPanel.svelte') },
  nodeGraph: { load: () => import('./nodeGraph/NodeGraphPanel.svelte') },
  piechart: { load: () => import('./piechart/PiePanel.svelte') },
  stat: { load: () => import('./stat/StatPanel.svelte') },
  'state-timeline': { load: states },
  'status-history': { load: states },
  table: { load: () => import('./table/TablePanel.svelte') },
  text: { load: () => import('./text/TextPanel.svelte'), withoutQueries: true },
  traces: { load: () => import('./traces/TracesPanel.svelte') },
  timeseries: { load: () => import('./timeseries/TimeseriesPanel.svelte') },
};

/** Shows the name of a kind that is not known, and its data as a table. */
export const UNKNOWN: PanelKind = { load: () => import('./UnknownPanel.svelte') };

/** A library panel that the library does not have: the server leaves this type in its place. */
const MISSING_TYPE = 'library-panel-ref';
const MISSING: PanelKind = { load: () => import('./MissingLibraryPanel.svelte'), withoutQueries: true };

export function panelKind(type: string): PanelKind {
  if (type === MISSING_TYPE) return MISSING;
  return Object.hasOwn(PANELS, type) ? PANELS[type] : UNKNOWN;
}
