import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Field, FieldType } from '../frames';
import { formatPattern } from '../timePattern';
import { parseTime } from '../time';
import type { Transformer } from './types';

interface Conversion {
  targetField?: string;
  destinationType?: FieldType;
  joinWith?: string;
  dateFormat?: string;
  timezone?: string;
}

export const convertFieldType: Transformer = (frames, options) =>
  ((options.conversions ?? []) as Conversion[]).reduce(
    (input, conversion) => input.map((frame) => ({ ...frame, fields: frame.fields.map((f) => (conversion.targetField && isNamed(f, frame, displayName(f, frame, input), [conversion.targetField]) ? converted(f, conversion) : f)) })),
    frames,
  );

function converted(field: Field, { destinationType, joinWith, dateFormat, timezone }: Conversion): Field {
  const as = (type: FieldType, of: (v: any) => unknown): Field => ({ ...field, type, values: field.values.map(of) });
  if (destinationType === 'number') return as('number', toNumber);
  if (destinationType === 'boolean') return as('boolean', Boolean);
  if (destinationType === 'time') return as('time', (v) => (typeof v === 'number' ? v : v ? (parseTime(String(v), { now: Date.now() }) ?? null) : null));
  if (destinationType === 'string' && field.type === 'time') return as('string', (v) => (v === null ? null : formatPattern(v, dateFormat || 'YYYY-MM-DDTHH:mm:ssZ', timezone || 'browser')));
  if (destinationType === 'string') return as('string', (v) => (v === null || v === undefined ? null : Array.isArray(v) && joinWith ? v.join(joinWith) : typeof v === 'object' ? JSON.stringify(v) : String(v)));
  if (destinationType === 'other') return as('other', parsed);
  return field;
}

function toNumber(v: unknown): number | null {
  const n = Number(typeof v === 'string' ? v.replaceAll(',', '') : v);
  return v === null || v === undefined || v === '' || !Number.isFinite(n) ? null : n;
}

function parsed(v: unknown): unknown {
  try {
    return JSON.parse(String(v));
  } catch {
    return null;
  }
}
