import { displayName } from '../displayName';
import { formatPattern } from '../timePattern';
import type { Transformer } from './types';

/** A time field as text, in the format and zone that the options name. */
export const formatTime: Transformer = (frames, options) =>
  frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((f) => {
      if (displayName(f, frame, frames) !== options.timeField || f.type !== 'time') return f;
      const pattern: string = options.outputFormat || 'YYYY-MM-DD HH:mm:ss';
      return { ...f, type: 'string' as const, values: f.values.map((v) => (v === null ? null : formatPattern(Number(v), pattern, options.timezone || 'browser'))) };
    }),
  }));
