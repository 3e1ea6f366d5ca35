/** Series to single values: one row a series, or each field reduced in place. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import { calculation } from '../reduce';
import type { Transformer } from './types';

export const reduce: Transformer = (frames, options) => {
  const calcs = (options.reducers?.length ? (options.reducers as string[]) : ['max']).flatMap((id) => calculation(id) ?? []);
  if (options.mode === 'reduceFields') return frames.map((frame) => reduceInPlace(frame, calcs[0]?.id ?? 'last', options.includeTimeField === true));
  const series = frames.flatMap((frame) => frame.fields.filter((f) => f.type === 'number' || (options.includeTimeField && f.type === 'time')).map((field) => ({ field, frame })));
  if (!series.length) return frames;
  const labels = options.labelsToFields ? [...new Set(series.flatMap((s) => Object.keys(s.field.labels ?? {})))] : [];
  const fields: Field[] = [
    { name: 'Field', type: 'string', config: {}, values: series.map((s) => (labels.length ? s.field.name : displayName(s.field, s.frame, frames))) },
    ...labels.map((name): Field => ({ name, type: 'string', config: {}, values: series.map((s) => s.field.labels?.[name] ?? null) })),
    ...calcs.map((calc): Field => ({ name: calc.name, type: calc.id === 'allIsZero' || calc.id === 'allIsNull' ? 'boolean' : 'number', config: {}, values: series.map((s) => calc.of(s.field.values)) })),
  ];
  return [{ refId: frames[0]?.refId, fields, length: series.length }];
};

function reduceInPlace(frame: Frame, id: string, withTime: boolean): Frame {
  const fields = frame.fields.filter((f) => f.type !== 'time' || withTime).map((f) => ({ ...f, values: [calculation(id)!.of(f.values)] }));
  return { ...frame, fields, length: 1 };
}
