/** Group rows and calculate per group; or spread a table over two axes. */
import { displayName } from '../displayName';
import type { Field } from '../frames';
import { calculation } from '../reduce';
import { groupRows } from './rows';
import type { Transformer } from './types';

export const groupBy: Transformer = (frames, options) => {
  const settings: Record<string, { operation?: string; aggregations?: string[] }> = options.fields ?? {};
  return frames.map((frame) => {
    const named = frame.fields.map((field) => ({ field, name: displayName(field, frame, frames) }));
    const keys = named.filter(({ name }) => settings[name]?.operation === 'groupby').map((n) => n.field);
    if (!keys.length) return frame;
    const groups = groupRows(keys, frame.length);
    const fields: Field[] = keys.map((field, i) => ({ ...field, values: groups.map((g) => g.key[i]) }));
    for (const { field, name } of named)
      for (const id of settings[name]?.operation === 'aggregate' ? (settings[name].aggregations ?? []) : []) {
        const calc = calculation(id);
        if (!calc) continue;
        const values = groups.map((g) => calc.of(g.rows.map((r) => field.values[r])));
        const type = calc.sameUnit ? field.type : 'number';
        fields.push({ name: `${name} (${id})`, type, config: calc.sameUnit ? { ...field.config, displayName: undefined, displayNameFromDS: undefined } : {}, values });
      }
    return { ...frame, fields, length: groups.length };
  });
};

const EMPTY: Record<string, unknown> = { null: null, empty: '', true: true, false: false, zero: 0 };

export const groupingToMatrix: Transformer = (frames, options) => {
  if (frames.length !== 1) return frames;
  const [frame] = frames;
  const find = (name: string) => frame.fields.find((f) => displayName(f, frame, frames) === name || f.name === name);
  const [column, row, cell] = [find(options.columnField ?? 'Time'), find(options.rowField ?? 'Time'), find(options.valueField ?? 'Value')];
  if (!column || !row || !cell) return [];
  const columns = [...new Set(column.values)];
  const rows = [...new Set(row.values)];
  const cells = new Map<string, unknown>();
  for (let i = 0; i < frame.length; i++) cells.set(JSON.stringify([row.values[i], column.values[i]]), cell.values[i]);
  const empty = EMPTY[options.emptyValue ?? 'empty'] ?? '';
  return [
    {
      ...frame,
      length: rows.length,
      fields: [{ ...row, name: `${options.rowField ?? 'Time'}\\${options.columnField ?? 'Time'}`, values: rows, config: {} }, ...columns.map((c): Field => ({ name: String(c), type: cell.type, config: { ...cell.config, displayName: undefined, displayNameFromDS: undefined }, values: rows.map((r) => cells.get(JSON.stringify([r, c])) ?? empty) }))],
    },
  ];
};
