import { displayName } from '../displayName';
import type { Field, FieldType } from '../frames';
import { parseTime } from '../time';
import type { Transformer } from './types';

const CONVERT: Partial<Record<FieldType, (v: any) => unknown>> = {
  number: (v) => {
    const n = Number(typeof v === 'string' ? v.replaceAll(',', '') : v);
    return v === null || v === undefined || v === '' || Number.isNaN(n) ? null : n;
  },
  string: (v) => (v === null || v === undefined ? v : typeof v === 'object' ? JSON.stringify(v) : String(v)),
  boolean: (v) => (typeof v === 'string' ? v.toLowerCase() === 'true' : Boolean(v)),
  time: (v) => (typeof v === 'number' || v === null ? v : (parseTime(String(v), { now: Date.now() }) ?? null)),
};

export const convertFieldType: Transformer = (frames, options) => {
  const wanted = new Map<string, FieldType>((options.conversions ?? []).map((c: any) => [c.targetField, c.destinationType]));
  const convert = (field: Field, type: FieldType): Field => ({ ...field, type, values: field.values.map(CONVERT[type] ?? ((v) => v)) });
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((f) => {
      const type = wanted.get(displayName(f, frame, frames)) ?? wanted.get(f.name);
      return type ? convert(f, type) : f;
    }),
  }));
};
