/** Long tables and wide frames to the form that graphs want. */
import type { Field, Frame } from '../frames';
import { joinByField } from './join';
import { groupRows } from './rows';
import type { Transformer } from './types';

export const prepareTimeSeries: Transformer = (frames, options) => {
  const multi = frames.flatMap(toMulti);
  if (options.format === 'wide') return multi.length > 1 ? joinByField(multi, {}) : multi;
  if (options.format === 'long' || options.format === 'rows') return frames;
  return multi;
};

/** One frame a series; texts of a long table become labels. */
function toMulti(frame: Frame): Frame[] {
  const time = frame.fields.find((f) => f.type === 'time');
  if (!time) return [];
  const texts = frame.fields.filter((f) => f.type === 'string');
  const numbers = frame.fields.filter((f) => f.type === 'number' || f.type === 'boolean');
  if (!texts.length) return numbers.map((f) => ({ ...frame, fields: [time, f] }));
  return groupRows(texts, frame.length).flatMap(({ key, rows }) => {
    const labels = Object.fromEntries(texts.map((t, i) => [t.name, String(key[i] ?? '')]));
    const order = [...rows].sort((a, b) => time.values[a] - time.values[b]);
    const pick = (f: Field): Field => ({ ...f, values: order.map((i) => f.values[i]) });
    return numbers.map((f) => ({ ...frame, length: order.length, fields: [pick(time), { ...pick(f), labels: { ...f.labels, ...labels } }] }));
  });
}
