import { parseRegex } from '../display';
import { displayName } from '../displayName';
import type { Transformer } from './types';

/** Rename what matches; `/x/g` replaces every match. */
export const renameByRegex: Transformer = (frames, options, { fill }) => {
  const text = fill(String(options.regex ?? ''));
  const parsed = text ? parseRegex(text) : undefined;
  if (!parsed) return frames;
  const regex = /^\/.*\/[a-z]*g[a-z]*$/.test(text) ? new RegExp(parsed.source, `${parsed.flags}g`) : parsed;
  const pattern = fill(String(options.renamePattern ?? ''));
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      if (field.type === 'time') return field;
      const name = displayName(field, frame, frames).replace(regex, pattern);
      return { ...field, config: { ...field.config, displayName: name, displayNameFromDS: undefined } };
    }),
  }));
};
