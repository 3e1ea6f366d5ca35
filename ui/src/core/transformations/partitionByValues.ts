/** One frame for each set of values of some fields. */
import { displayName } from '../displayName';
import { groupRows, pickRows } from './rows';
import type { Transformer } from './types';

export const partitionByValues: Transformer = (frames, options) => {
  const wanted: string[] = options.fields ?? [];
  if (!wanted.length) return frames;
  return frames.flatMap((frame) => {
    const keys = wanted.flatMap((name) => frame.fields.find((f) => displayName(f, frame, frames) === name || f.name === name) ?? []);
    if (!keys.length) return [frame];
    return groupRows(keys, frame.length).map(({ key, rows }) => {
      const part = pickRows(frame, rows);
      const labels = Object.fromEntries(keys.map((f, i) => [f.name, String(key[i])]));
      const asLabels = options.naming?.asLabels ?? true;
      const name = keys.map((f, i) => (options.naming?.withNames ? `${f.name}=${key[i]}` : String(key[i]))).join(' ');
      const fields = part.fields.filter((f) => options.keepFields || !keys.some((k) => k.name === f.name)).map((f) => (f.type === 'number' && asLabels ? { ...f, labels: { ...f.labels, ...labels } } : f));
      return { ...part, name: asLabels ? part.name : name, fields };
    });
  });
};
