/** Helpers over rows of a frame. */
import type { Field, Frame } from '../frames';

/** The frame with the rows of these indexes, in their order. */
export function pickRows(frame: Frame, indexes: readonly number[]): Frame {
  return { ...frame, length: indexes.length, fields: frame.fields.map((f) => ({ ...f, values: indexes.map((i) => f.values[i]), nanos: f.nanos && indexes.map((i) => f.nanos![i]) })) };
}

/** Group rows by the values of some fields, in order of appearance. */
export function groupRows(keys: readonly Field[], length: number): { key: unknown[]; rows: number[] }[] {
  const groups = new Map<string, { key: unknown[]; rows: number[] }>();
  for (let i = 0; i < length; i++) {
    const key = keys.map((f) => f.values[i]);
    const id = JSON.stringify(key);
    const group = groups.get(id);
    if (group) group.rows.push(i);
    else groups.set(id, { key, rows: [i] });
  }
  return [...groups.values()];
}
