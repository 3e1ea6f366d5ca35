import { displayName } from '../displayName';
import type { Field } from '../frames';
import { pickRows } from './rows';
import type { Transformer } from './types';

const texts = new Intl.Collator('en', { sensitivity: 'base' });
const absentLast = (a: unknown, b: unknown) => Number(!a) - Number(!b);

/** Rows by one field. Among numbers an absent one counts as 0, as in Grafana; absent texts are last. */
export const sortBy: Transformer = (frames, options) => {
  const rule = options.sort?.[0];
  if (!rule?.field) return frames;
  return frames.map((frame) => {
    const field = frame.fields.find((f) => displayName(f, frame) === rule.field);
    if (!field) return frame;
    const compare = comparer(field);
    const order = Array.from({ length: frame.length }, (_, i) => i).sort((a, b) => (rule.desc ? compare(b, a) : compare(a, b)));
    return pickRows(frame, order);
  });
};

function comparer({ type, values }: Field): (a: number, b: number) => number {
  if (type === 'number' || type === 'time') return (a, b) => values[a] - values[b];
  if (type === 'boolean') return (a, b) => absentLast(values[a], values[b]);
  return (a, b) => (values[a] && values[b] ? texts.compare(String(values[a]), String(values[b])) : absentLast(values[a], values[b]));
}
