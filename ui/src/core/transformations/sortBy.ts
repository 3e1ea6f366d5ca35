import { displayName } from '../displayName';
import { pickRows } from './rows';
import type { Transformer } from './types';

const texts = new Intl.Collator('en', { numeric: true });

/** Rows by one field; absent values last. */
export const sortBy: Transformer = (frames, options) => {
  const rule = options.sort?.[0];
  if (!rule?.field) return frames;
  return frames.map((frame) => {
    const field = frame.fields.find((f) => displayName(f, frame, frames) === rule.field || f.name === rule.field);
    if (!field) return frame;
    const sign = rule.desc ? -1 : 1;
    const compare = (a: any, b: any) => (a === b ? 0 : a === null || a === undefined ? sign : b === null || b === undefined ? -sign : typeof a === 'number' ? a - b : texts.compare(String(a), String(b)));
    const order = Array.from({ length: frame.length }, (_, i) => i).sort((a, b) => sign * compare(field.values[a], field.values[b]));
    return pickRows(frame, order);
  });
};
