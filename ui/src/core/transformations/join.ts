/** Join frames on a field: on its values (outer, inner), or table by table (outerTabular). */
import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';

interface Part {
  key: Field;
  others: Field[];
}

export const joinByField: Transformer = (frames, options) => {
  if (frames.length < 2) return frames;
  const parts = frames.flatMap((frame) => part(frame, frames, options.byField) ?? []);
  const refId = `joinByField-${frames.map((f) => f.refId).join('-')}`;
  if (!parts.length) return [{ refId, fields: [], length: 0 }];
  const fields = [parts[0].key, ...parts.flatMap((p) => p.others)];
  const columns = joined(parts, options.mode, parts.length < frames.length);
  return [{ refId, fields: fields.map((f, i) => ({ ...f, values: columns[i] })), length: columns[0].length }];
};

/** The key and the rest, named so that they can be told apart: the frame's name is the value's, or a label. */
function part(frame: Frame, frames: Frame[], byField: string | undefined): Part | undefined {
  const key = frame.fields.find((f) => (byField ? isNamed(f, frame, displayName(f, frame, frames), [byField]) : f.type === 'time'));
  if (!key) return undefined;
  const told = (field: Field): Field => {
    // Labels, if only none: a second time is a column like others, and is numbered as they are.
    if (!frame.name) return { ...field, labels: field.labels ?? {} };
    if (field.name === 'Value') return { ...field, name: frame.name, labels: field.labels ?? {} };
    return { ...field, labels: { name: frame.name, ...field.labels } };
  };
  return { key, others: frame.fields.filter((f) => f !== key).map(told) };
}

function joined(parts: Part[], mode: string | undefined, incomplete: boolean): unknown[][] {
  const tables = parts.map((p) => [p.key.values, ...p.others.map((f) => f.values)]);
  if (mode === 'inner' && incomplete) return tables.flatMap((t, i) => (i ? t.slice(1) : t)).map(() => []);
  if (mode === 'inner' || mode === 'outerTabular') return tables.reduce((left, right) => joinRows(left, right, mode === 'outerTabular'));
  return joinValues(tables, parts[0].key.type);
}

/** One row a value of the key; of rows with the same key in one table the last counts. Tables whose keys are the same are put side by side. */
function joinValues(tables: unknown[][][], type: Field['type']): unknown[][] {
  const [keys] = tables[0];
  const ascending = (a: any, b: any) => a - b;
  if (tables.every(([other]) => other.length === keys.length && other.every((k, i) => k === keys[i]))) {
    const columns = tables.flatMap((t, i) => (i ? t.slice(1) : t));
    const isAscending = keys.every((k: any, i) => i === 0 || k > (keys[i - 1] as any));
    if (isAscending || type === 'string') return columns;
    const order = keys.map((_, i) => i).sort((a, b) => ascending(keys[a], keys[b]));
    return columns.map((column) => order.map((i) => column[i]));
  }
  const unique = [...new Set(tables.flatMap(([k]) => k))];
  if (type !== 'string') unique.sort(ascending);
  return [
    unique,
    ...tables.flatMap(([own, ...columns]) => {
      const at = new Map(own.map((k, i) => [k, i]));
      return columns.map((column) => unique.map((k) => (at.has(k) ? column[at.get(k)!] : null)));
    }),
  ];
}

/** Every pair of rows with the same key, in the order of the left; `outer`: then the rows without a partner, left before right. */
function joinRows(left: unknown[][], right: unknown[][], outer: boolean): unknown[][] {
  const rowsOf = new Map<string, number[]>();
  right[0].forEach((key, i) => rowsOf.set(String(key), [...(rowsOf.get(String(key)) ?? []), i]));
  const partners = left[0].map((key) => (key === null || key === undefined ? [] : (rowsOf.get(String(key)) ?? [])));
  const pairs: [number, number][] = partners.flatMap((rows, i) => rows.map((j): [number, number] => [i, j]));
  if (outer) {
    const met = new Set(partners.flat());
    partners.forEach((rows, i) => rows.length || pairs.push([i, -1]));
    right[0].forEach((_, j) => met.has(j) || pairs.push([-1, j]));
  }
  const cell = (column: unknown[], i: number) => (i < 0 ? null : column[i]);
  return [pairs.map(([i, j]) => (i < 0 ? right[0][j] : left[0][i])), ...left.slice(1).map((c) => pairs.map(([i]) => cell(c, i))), ...right.slice(1).map((c) => pairs.map(([, j]) => cell(c, j)))];
}
