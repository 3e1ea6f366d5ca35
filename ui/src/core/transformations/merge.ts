/** Many frames into one: rows that agree on every shared field become one row. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';
import { formatLabels } from '../displayName';

export const merge: Transformer = (frames) => {
  const filled = frames.filter((f) => f.fields.length && f.length);
  if (filled.length < 2) return filled.length ? filled : frames.slice(0, 1);
  const names = valueNames(filled);
  const columns = new Map<string, Field>();
  for (const frame of filled) for (const field of frame.fields) if (!columns.has(names.get(field)!)) columns.set(names.get(field)!, { ...field, name: names.get(field)!, values: [] });
  const shared = [...columns.keys()].filter((name) => filled.every((f) => f.fields.some((x) => names.get(x) === name)));
  const rows: Record<string, unknown>[] = [];
  const byKey = new Map<string, Record<string, unknown>[]>();
  for (const frame of filled)
    for (let i = 0; i < frame.length; i++) {
      const row = Object.fromEntries(frame.fields.map((f) => [names.get(f)!, f.values[i]]));
      const key = JSON.stringify(shared.map((s) => row[s]));
      const known = byKey.get(key) ?? [];
      const partner = known.find((other) => Object.keys(row).every((k) => shared.includes(k) || !(k in other) || other[k] === row[k] ));
      if (partner) Object.assign(partner, row);
      else {
        rows.push(row);
        byKey.set(key, [...known, row]);
      }
    }
  const fields = [...columns].map(([name, field]) => ({ ...field, values: rows.map((r) => r[name] ?? null) }));
  return [{ refId: filled.map((f) => f.refId).join('-'), meta: filled[0].meta, fields, length: rows.length }];
};

/** `Value` of several queries becomes `Value #A`, `Value #B`. */
function valueNames(frames: Frame[]): Map<Field, string> {
  const names = new Map<Field, string>();
  const refs = new Set(frames.map((f) => f.refId));
  for (const frame of frames)
    for (const field of frame.fields) {
      const name = field.type === 'number' && field.name === 'Value' && !field.config.displayName ? (refs.size > 1 ? `Value #${frame.refId}` : 'Value') : displayName({ ...field, labels: undefined }, frame, frames);
      names.set(field, name);
    }
  return names;
}

/** Every series' points below each other, with the series' name in a column, newest first. */
export const seriesToRows: Transformer = (frames) => {
  const rows: { time: number; metric: string; value: unknown }[] = [];
  for (const frame of frames) {
    const time = frame.fields.find((f) => f.type === 'time');
    if (!time) continue;
    for (const field of frame.fields) {
      if (field === time) continue;
      const metric = displayName(field, frame, frames) || formatLabels(field.labels ?? {});
      for (let i = 0; i < frame.length; i++) rows.push({ time: time.values[i], metric, value: field.values[i] });
    }
  }
  rows.sort((a, b) => b.time - a.time);
  return [
    {
      length: rows.length,
      fields: [
        { name: 'Time', type: 'time', config: {}, values: rows.map((r) => r.time) },
        { name: 'Metric', type: 'string', config: {}, values: rows.map((r) => r.metric) },
        { name: 'Value', type: 'number', config: {}, values: rows.map((r) => r.value) },
      ],
    },
  ];
};
