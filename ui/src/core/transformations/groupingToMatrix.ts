/** A table spread over two axes: the values of one field are the columns, those of another the rows. */
import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Field } from '../frames';
import type { Transformer } from './types';

const EMPTY: Record<string, unknown> = { null: null, empty: '', true: true, false: false, zero: 0 };

export const groupingToMatrix: Transformer = (frames, options) => {
  if (frames.length !== 1) return frames;
  const [frame] = frames;
  const names = { column: options.columnField || 'Time', row: options.rowField || 'Time', cell: options.valueField || 'Value' };
  const find = (name: string) => frame.fields.find((f) => isNamed(f, frame, displayName(f, frame, frames), [name]));
  const [column, row, cell] = [find(names.column), find(names.row), find(names.cell)];
  if (!column || !row || !cell) return frames;
  const rows = [...new Set(row.values)];
  const cells = new Map<unknown, Map<unknown, unknown>>();
  for (let i = 0; i < frame.length; i++) cells.set(column.values[i], (cells.get(column.values[i]) ?? new Map()).set(row.values[i], cell.values[i]));
  const empty = Object.hasOwn(EMPTY, options.emptyValue) ? EMPTY[options.emptyValue] : '';
  const { displayName: _fixed, displayNameFromDS, ...config } = cell.config;
  const fields = [...cells].map(([value, values]): Field => ({ name: String(value), type: cell.type, config: typeof value === 'number' ? config : { ...config, displayNameFromDS }, values: rows.map((r) => values.get(r) ?? empty) }));
  return [{ ...frame, length: rows.length, fields: [{ name: `${names.row}\\${names.column}`, type: row.type, config: row.config, values: rows }, ...fields] }];
};
