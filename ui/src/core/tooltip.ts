/** The lines of a tooltip over a graph: which values at a point in time are shown, and in which order. */

export interface TooltipOptions {
  mode: 'single' | 'multi' | 'none';
  sort: 'none' | 'asc' | 'desc';
  /** Values that are 0 are left out of `multi`. */
  hideZeros: boolean;
  /** px; absent: what fits. */
  maxWidth?: number;
  maxHeight?: number;
}

export interface TooltipRow {
  name: string;
  color: string;
  text: string;
  /** The series under the pointer. */
  active?: boolean;
}

/** Panel options as they came; what is missing or odd becomes Grafana's default. */
export function tooltipOptions(raw: Record<string, any> | undefined): TooltipOptions {
  const px = (v: unknown) => (Number(v) > 0 ? Number(v) : undefined);
  return {
    mode: raw?.mode === 'multi' || raw?.mode === 'none' ? raw.mode : 'single',
    sort: raw?.sort === 'asc' || raw?.sort === 'desc' ? raw.sort : 'none',
    hideZeros: raw?.hideZeros === true,
    maxWidth: px(raw?.maxWidth),
    maxHeight: px(raw?.maxHeight),
  };
}

/** `single` shows the active row alone. Rows without a number keep their place at the end when sorted. */
export function tooltipRows<R extends TooltipRow & { value: number }>(rows: readonly R[], options: TooltipOptions): R[] {
  if (options.mode === 'none') return [];
  if (options.mode === 'single') return rows.filter((r) => r.active);
  const shown = options.hideZeros ? rows.filter((r) => r.value !== 0) : [...rows];
  if (options.sort === 'none') return shown;
  const sign = options.sort === 'asc' ? 1 : -1;
  return shown.sort((a, b) => Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || sign * (a.value - b.value));
}
