/** Many frames into one: rows that agree on every field of the same name become one row. */
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';

type Row = Record<string, unknown>;

export const merge: Transformer = (frames) => {
  const filled = frames.filter((f) => f.fields.length);
  if (frames.length < 2 || !filled.length) return frames.slice(0, 1);
  const columns = new Map<string, Field>();
  for (const frame of filled) for (const field of frame.fields) if (!columns.has(field.name)) columns.set(field.name, column(field));
  const shared = [...columns.keys()].filter((name) => filled.every((f) => f.fields.some((x) => x.name === name)));
  if (!shared.length) return frames;
  const rows = mergeRows(filled, shared);
  const fields = [...columns].map(([name, field]) => ({ ...field, values: rows.map((r) => r[name] ?? null) }));
  return [{ refId: `merge-${filled.map((f) => f.refId).join('-')}`, meta: filled[0].meta, fields, length: rows.length }];
};

function column(field: Field): Field {
  const { displayName: _name, ...config } = field.config;
  return { name: field.name, type: field.type, config, values: [] };
}

/** In order of appearance. A row joins every row of its key whose other fields are absent or equal. */
function mergeRows(frames: Frame[], shared: string[]): Row[] {
  const rows: Row[] = [];
  const byKey = new Map<string, Row[]>();
  for (const frame of frames)
    for (let i = 0; i < frame.length; i++) {
      const row: Row = Object.fromEntries(frame.fields.map((f) => [f.name, f.values[i]]));
      const key = JSON.stringify(shared.map((s) => row[s]));
      const known = byKey.get(key) ?? [];
      const partners = known.filter((other) => Object.keys(row).every((k) => other[k] === undefined || other[k] === null || other[k] === row[k]));
      for (const partner of partners) Object.assign(partner, row);
      if (partners.length) continue;
      rows.push(row);
      known.push(row);
      byKey.set(key, known);
    }
  return rows;
}
