/** Join on labels. */
import type { Field } from '../frames';
import type { Transformer } from './types';

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
