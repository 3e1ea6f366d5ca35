/** Join frames on a field, or on labels. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';

export const joinByField: Transformer = (frames, options) => {
  const wanted: string | undefined = options.byField;
  const parts = frames.flatMap((frame) => {
    const key = wanted ? frame.fields.find((f) => f.name === wanted || displayName(f, frame, frames) === wanted) : frame.fields.find((f) => f.type === 'time');
    return key && frame.length ? [{ frame, key }] : [];
  });
  if (parts.length < 2) return parts.length ? [parts[0].frame] : frames;
  const inner = options.mode === 'inner';
  const keys = inner ? parts.map((p) => p.key.values).reduce((a, b) => a.filter((v) => new Set(b).has(v))) : [...new Set(parts.flatMap((p) => p.key.values))];
  const unique = [...new Set(keys)];
  if (parts[0].key.type === 'time' || parts[0].key.type === 'number') unique.sort((a, b) => a - b);
  const fields: Field[] = [{ ...parts[0].key, values: unique }];
  const several = new Set(parts.map((p) => p.frame.refId)).size > 1;
  for (const { frame, key } of parts) {
    const at = new Map(key.values.map((v, i) => [v, i]));
    for (const field of frame.fields) {
      if (field === key) continue;
      const values = unique.map((k) => (at.has(k) ? field.values[at.get(k)!] : null));
      fields.push(renamed(field, frame, fields, several, values));
    }
  }
  return [{ refId: `joinByField-${parts.map((p) => p.frame.refId).join('-')}`, fields, length: unique.length }];
};

/** A name that two frames share is told apart: values by refId, others by number. */
function renamed(field: Field, frame: Frame, taken: readonly Field[], several: boolean, values: unknown[]): Field {
  const copy = { ...field, values };
  if (field.labels && Object.keys(field.labels).length) return { ...copy, config: { ...field.config, displayNameFromDS: field.config.displayNameFromDS ?? frame.name } };
  if (field.name === 'Value' && several && !field.config.displayName && !field.config.displayNameFromDS) return { ...copy, name: `Value #${frame.refId}` };
  const same = taken.filter((t) => t.name === field.name || t.name.startsWith(`${field.name} `)).length;
  return same && !field.config.displayName ? { ...copy, name: `${field.name} ${same + 1}` } : copy;
}

/** One row for each set of the join labels; one column for each value of the `value` label. */
export const joinByLabels: Transformer = (frames, options) => {
  const valueLabel: string | undefined = options.value;
  if (!valueLabel) return frames;
  const numbers = frames.flatMap((f) => f.fields.filter((x) => x.type === 'number' && x.labels?.[valueLabel]));
  if (!numbers.length) return frames;
  const join: string[] = options.join?.length ? options.join : [...new Set(numbers.flatMap((f) => Object.keys(f.labels!)))].filter((n) => n !== valueLabel).sort();
  const names = [...new Set(numbers.map((f) => f.labels![valueLabel]))];
  const rows = new Map<string, { key: string[]; values: Record<string, unknown> }>();
  for (const field of numbers) {
    const key = join.map((n) => field.labels![n] ?? '');
    const id = JSON.stringify(key);
    const row = rows.get(id) ?? { key, values: {} };
    row.values[field.labels![valueLabel]] = field.values.at(-1);
    rows.set(id, row);
  }
  const all = [...rows.values()];
  return [
    {
      length: all.length,
      fields: [...join.map((name, i): Field => ({ name, type: 'string', config: {}, values: all.map((r) => r.key[i]) })), ...names.map((name): Field => ({ name, type: 'number', config: {}, values: all.map((r) => r.values[name] ?? null) }))],
    },
  ];
};
