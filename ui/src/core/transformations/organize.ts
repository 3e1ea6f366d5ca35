/** Hide, order and rename fields by name. */
import { displayName } from '../displayName';
import type { Transformer } from './types';

export const organize: Transformer = (frames, options) => {
  const exclude: Record<string, boolean> = options.excludeByName ?? {};
  const order: Record<string, number> = options.indexByName ?? {};
  const rename: Record<string, string> = options.renameByName ?? {};
  const include: Record<string, boolean> = options.includeByName ?? {};
  const included = Object.values(include).some(Boolean);
  return frames.map((frame) => {
    const named = frame.fields.map((field) => ({ field, name: displayName(field, frame, frames) })).filter(({ name }) => !exclude[name] && (!included || include[name]));
    if (Object.keys(order).length) named.sort((a, b) => (order[a.name] ?? Infinity) - (order[b.name] ?? Infinity) || 0);
    return { ...frame, fields: named.map(({ field, name }) => (rename[name] ? { ...field, name: rename[name], config: { ...field.config, displayName: rename[name] } } : field)) };
  });
};
