/** Texts of one column in another case, trimmed, or a part of them. */
import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Transformer } from './types';

const words = (text: string) => text.split(' ').map((w) => w.charAt(0).toUpperCase() + w.slice(1).toLowerCase());
const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

const FORMATS: Record<string, (text: string, options: any) => string> = {
  'Upper Case': (t) => t.toUpperCase(),
  'Lower Case': (t) => t.toLowerCase(),
  'Sentence Case': (t) => t.charAt(0).toUpperCase() + t.slice(1),
  'Title Case': (t) => words(t).join(' '),
  'Pascal Case': (t) => words(t).join(''),
  'Camel Case': (t) => lowerFirst(words(t).join('')),
  'Snake Case': (t) => t.toLowerCase().split(' ').join('_'),
  'Kebab Case': (t) => t.toLowerCase().split(' ').join('-'),
  Trim: (t) => t.trim(),
  Substring: (t, { substringStart, substringEnd }) => t.substring(Number(substringStart) || 0, substringEnd === undefined || substringEnd === null || substringEnd === '' ? undefined : Number(substringEnd)),
};

export const formatString: Transformer = (frames, options) => {
  const format = FORMATS[options.outputFormat ?? 'Upper Case'];
  if (!format || !options.stringField) return frames;
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => (isNamed(field, frame, displayName(field, frame, frames), [options.stringField]) ? { ...field, type: 'string' as const, values: field.values.map((v) => (v === null || v === undefined ? v : format(String(v), options))) } : field)),
  }));
};
