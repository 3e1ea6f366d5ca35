/** Series to single values: one row a series, or each field reduced in place. */
import { displayName } from '../displayName';
import { matches } from '../fieldConfig';
import { guessType, type Field, type Frame } from '../frames';
import { calculation, type Calculation } from '../reduce';
import type { Transformer } from './types';

type Chosen = (field: Field, frame: Frame) => boolean;

export const reduce: Transformer = (frames, options) => {
  const calcs = ((options.reducers ?? ['max']) as string[]).flatMap((id) => calculation(id) ?? []);
  if (!calcs.length) return frames;
  const inPlace = options.mode === 'reduceFields';
  const chosen: Chosen = (field, frame) => (options.fields ? matches(options.fields, field, frame, displayName(field, frame, frames)) : field.type !== 'time' || (inPlace && options.includeTimeField === true));
  return inPlace ? frames.flatMap((frame) => reduceInPlace(frame, calcs, chosen)) : reduceToRows(frames, calcs, chosen, options.labelsToFields === true);
};

/** What cannot be calculated is NaN in the table. */
function reduceToRows(frames: Frame[], calcs: Calculation[], chosen: Chosen, withLabels: boolean): Frame[] {
  if (!frames.length) return [];
  const series = frames.flatMap((frame) => frame.fields.filter((f) => chosen(f, frame)).map((field) => ({ field, frame })));
  const labels = withLabels ? [...new Set(frames.flatMap((f) => f.fields.flatMap((x) => Object.keys(x.labels ?? {}))))] : [];
  const fields: Field[] = [
    { name: 'Field', type: 'string', config: {}, values: series.map((s) => (withLabels ? s.field.name : displayName(s.field, s.frame, frames))) },
    ...labels.map((name): Field => ({ name, type: 'string', config: {}, values: series.map((s) => s.field.labels?.[name] ?? null) })),
    ...calcs.map((calc): Field => {
      const values = series.map((s) => calc.of(s.field.values, s.field.type) ?? NaN);
      return { name: calc.name, type: guessType(values), config: {}, values };
    }),
  ];
  return [{ refId: `reduce-${frames.map((f) => f.refId).join('-')}`, fields, length: series.length }];
}

const KEEP_TYPE = new Set(['first', 'firstNotNull', 'last', 'lastNotNull']);

/** Several calculations of one field are told apart by a label. */
function reduceInPlace(frame: Frame, calcs: Calculation[], chosen: Chosen): Frame[] {
  const reduced = (field: Field, calc: Calculation): Field => ({
    ...field,
    labels: { ...field.labels, ...(calcs.length > 1 && { reducer: calc.name }) },
    type: KEEP_TYPE.has(calc.id) ? field.type : calc.id === 'allValues' || calc.id === 'uniqueValues' ? 'other' : 'number',
    values: [calc.of(field.values, field.type)],
  });
  const fields = frame.fields.filter((f) => chosen(f, frame)).flatMap((f) => calcs.map((calc) => reduced(f, calc)));
  return fields.length ? [{ ...frame, fields, length: 1 }] : [];
}
