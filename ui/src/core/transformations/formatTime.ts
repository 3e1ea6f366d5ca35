import { displayName } from '../displayName';
import { unitFormatter } from '../units';
import type { Transformer } from './types';

/** A time field as text, in the format and zone that the options name. */
export const formatTime: Transformer = (frames, options) =>
  frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((f) => {
      if (displayName(f, frame, frames) !== options.timeField && f.name !== options.timeField) return f;
      const format = options.outputFormat ? unitFormatter(`time:${options.outputFormat}`) : unitFormatter('dateTimeAsIso');
      const context = { zone: options.timezone || 'browser', now: 0 };
      return { ...f, type: 'string' as const, values: f.values.map((v) => (v === null ? null : format(Number(v), undefined, context).text)) };
    }),
  }));
