import { parseRegex } from '../display';
import { displayName } from '../displayName';
import type { Transformer } from './types';

/** Rename what matches; `/x/g` replaces every match, a bare pattern stands for the whole name. */
export const renameByRegex: Transformer = (frames, options) => {
  const text = String(options.regex ?? '(.*)');
  const parsed = parseRegex(text);
  if (!parsed) return frames;
  const regex = /^\/.*\/[a-z]*g[a-z]*$/.test(text) ? new RegExp(parsed.source, `${parsed.flags}g`) : parsed;
  const pattern = String(options.renamePattern ?? '$1');
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => {
      const name = displayName(field, frame);
      return parsed.test(name) ? { ...field, config: { ...field.config, displayName: name.replace(regex, pattern) } } : field;
    }),
  }));
};
