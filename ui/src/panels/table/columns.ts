/** Which columns a frame has, how wide they are, and in which order its rows stand. */
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
  /** Grafana's cell type: auto, color-text, color-background, gauge, sparkline, json-view, image, data-links. */
  cell: string;
  cellOptions: Record<string, any>;
}

const LEAST_PX = 80;

/** Old `displayMode` names to cell types. */
const OLD_MODES: Record<string, [type: string, mode?: string]> = { 'color-text': ['color-text'], 'color-background': ['color-background', 'gradient'], 'color-background-solid': ['color-background', 'basic'], 'gradient-gauge': ['gauge', 'gradient'], 'lcd-gauge': ['gauge', 'lcd'], basic: ['gauge', 'basic'], 'json-view': ['json-view'] };

export function makeColumns(frame: Frame, displays: ReadonlyMap<Field, Display>, width: number): Column[] {
  const shown = frame.fields.filter((f) => !f.config.custom?.hidden && !f.config.custom?.hideFrom?.viz);
  const columns = shown.map((field, i): Column => {
    const custom = field.config.custom ?? {};
    const old = OLD_MODES[custom.displayMode];
    const cellOptions = custom.cellOptions ?? (old ? { type: old[0], mode: old[1] } : {});
    const sparkline = field.type === 'other' && field.values.some((v) => v?.fields);
    const align = custom.align && custom.align !== 'auto' ? custom.align : field.type === 'number' ? 'right' : 'left';
    return { key: `${i}:${field.name}`, name: displayName(field, frame, [frame]), field, display: displays.get(field)!, width: Number(custom.width) || 0, align, filterable: custom.filterable === true, cell: sparkline ? 'sparkline' : (cellOptions.type ?? 'auto'), cellOptions };
  });
  const open = columns.filter((c) => !c.width);
  const left = width - columns.reduce((sum, c) => sum + c.width, 0) - 1;
  for (const column of open) column.width = Math.max(Number(column.field.config.custom?.minWidth) || LEAST_PX, Math.floor(left / open.length));
  return columns;
}

const texts = new Intl.Collator('en', { numeric: true });

/** Indexes of the rows that pass the filters, in order; absent values last. */
export function sortRows(frame: Frame, columns: readonly Column[], sort: { column: string; desc: boolean } | null, filters: Readonly<Record<string, string>>): number[] {
  let rows = Array.from({ length: frame.length }, (_, i) => i);
  for (const column of columns) {
    const wanted = filters[column.name]?.toLowerCase();
    if (wanted) rows = rows.filter((r) => column.display.text(column.field.values[r]).toLowerCase().includes(wanted));
  }
  const field = sort && columns.find((c) => c.name === sort.column)?.field;
  if (!field) return rows;
  const sign = sort.desc ? -1 : 1;
  const key = (v: any) => (v?.fields ? v.value : v);
  return rows.sort((x, y) => {
    const [a, b] = [key(field.values[x]), key(field.values[y])];
    if (a === b) return x - y;
    if (a === null || a === undefined) return 1;
    if (b === null || b === undefined) return -1;
    return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : texts.compare(String(a), String(b)));
  });
}
