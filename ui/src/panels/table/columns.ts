/** Which columns a frame has, and how wide they are. */
import { displayName } from '../../core/displayName';
import type { Display } from '../../core/display';
import type { Field, Frame } from '../../core/frames';

export interface Column {
  key: string;
  name: string;
  field: Field;
  display: Display;
  /** px */
  width: number;
  align: 'left' | 'right' | 'center';
  filterable: boolean;
  sortable: boolean;
  /** It has no name in the head. */
  nameless: boolean;
  /** Grafana's cell type: auto, color-text, color-background, gauge, sparkline, json-view, image, data-links, pill, markdown. */
  cell: string;
  cellOptions: Record<string, any>;
  /** Long texts run over several lines, and make their row higher. */
  wrap: boolean;
  /** So does its name. */
  wrapHeader: boolean;
  /** The cell can be opened to see all of it. */
  inspect: boolean;
  /** Calculations below the column, where it has its own. */
  footer: string[];
}

/** Of a column that says nothing of its width, px; by hand it can be half of it. */
export const LEAST_PX = 80;
/** By hand, px. */
export const MOST_PX = 2000;

/** Old `displayMode` names to cell types. */
const OLD_MODES: Record<string, [type: string, mode?: string]> = { 'color-text': ['color-text'], 'color-background': ['color-background', 'gradient'], 'color-background-solid': ['color-background', 'basic'], 'gradient-gauge': ['gauge', 'gradient'], 'lcd-gauge': ['gauge', 'lcd'], basic: ['gauge', 'basic'], 'json-view': ['json-view'] };

/** `chosen`: widths that were made by hand, px, by the columns' keys. */
export function makeColumns(frame: Frame, displays: ReadonlyMap<Field, Display>, width: number, chosen: ReadonlyMap<string, number> = new Map()): Column[] {
  const shown = frame.fields.filter((f) => !f.config.custom?.hidden && !f.config.custom?.hideFrom?.viz);
  const columns = shown.map((field, i): Column => {
    const custom = field.config.custom ?? {};
    const old = OLD_MODES[custom.displayMode];
    const cellOptions = custom.cellOptions ?? (old ? { type: old[0], mode: old[1] } : {});
    const wrap = cellOptions.wrapText === true || custom.wrapText === true;
    const sparkline = field.type === 'other' && field.values.some((v) => v?.fields);
    const align = custom.align && custom.align !== 'auto' ? custom.align : field.type === 'number' ? 'right' : 'left';
    const key = `${i}:${field.name}`;
    return { key, name: displayName(field, frame, [frame]), field, display: displays.get(field)!, width: chosen.get(key) ?? (Number(custom.width) || 0), align, filterable: custom.filterable === true, sortable: custom.sortable !== false, nameless: custom.hideHeader === true, cell: sparkline ? 'sparkline' : (cellOptions.type ?? 'auto'), cellOptions, wrap, wrapHeader: custom.wrapHeaderText === true, inspect: custom.inspect === true, footer: custom.footer?.reducers ?? [] };
  });
  const open = columns.filter((c) => !c.width);
  const left = width - columns.reduce((sum, c) => sum + c.width, 0) - 1;
  for (const column of open) column.width = Math.max(Number(column.field.config.custom?.minWidth) || LEAST_PX, Math.floor(left / open.length));
  return columns;
}

/** Widths after a column was given one: those before it keep theirs, or its edge would leave the pointer; `width` undefined: it goes back to what the table gives it. */
export function resized(columns: readonly Column[], chosen: ReadonlyMap<string, number>, index: number, width: number | undefined): Map<string, number> {
  const next = new Map(chosen);
  if (width === undefined) next.delete(columns[index].key);
  else {
    for (const column of columns.slice(0, index)) next.set(column.key, column.width);
    next.set(columns[index].key, width);
  }
  return next;
}

const HEAD_PX = 30;
const HEAD_LINES = 4;

/** Height of the names, px: as many lines as the longest that may wrap needs. */
export function headHeight(columns: readonly Column[]): number {
  const lines = columns.filter((c) => c.wrapHeader).map((c) => Math.ceil(c.name.length / Math.max(4, (c.width - (c.filterable ? 36 : 18)) / 7)));
  return HEAD_PX + (Math.min(HEAD_LINES, Math.max(1, ...lines)) - 1) * 17;
}

/** Where the first columns stay when the others scroll below them: px from the left; none where they would fill the panel. */
export function frozenLefts(columns: readonly Column[], count: unknown, width: number): number[] {
  const lefts: number[] = [];
  let left = 0;
  for (const column of columns.slice(0, Math.max(0, Number(count) || 0))) {
    lefts.push(left);
    left += column.width;
  }
  return left < width * 0.8 ? lefts : [];
}
