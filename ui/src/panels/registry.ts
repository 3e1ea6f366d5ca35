/** Kinds of panels. Those of a first paint are in the first chunk, the others come when a dashboard has one. */
import type { Component } from 'svelte';
import type { PanelProps } from './types';

export interface PanelKind {
  load: () => Promise<{ default: Component<PanelProps> }>;
  /** Draws without data. */
  withoutQueries?: boolean;
}

export const PANELS: Readonly<Record<string, PanelKind>> = {
  timeseries: { load: () => import('./timeseries/TimeseriesPanel.svelte') },
  logs: { load: () => import('./logs/LogsPanel.svelte') },
};

/** Shows the name of a kind that is not known, and its data as a table. */
export const UNKNOWN: PanelKind = { load: () => import('./UnknownPanel.svelte') };

export function panelKind(type: string): PanelKind {
  return Object.hasOwn(PANELS, type) ? PANELS[type] : UNKNOWN;
}
