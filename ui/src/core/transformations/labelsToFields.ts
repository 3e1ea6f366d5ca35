/** Labels become columns, beside the values of their frame, or rows of name and value. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';

export const labelsToFields: Transformer = (frames, options) => {
  const keep: string[] | undefined = options.keepLabels?.length ? options.keepLabels : undefined;
  if (options.mode === 'rows') return frames.flatMap((frame) => frame.fields.filter((f) => f.labels).flatMap((f) => toRows(f, frame, frames, keep)));
  return frames.map((frame) => {
    const values = new Map<string, Set<string>>();
    const fields = frame.fields.map((field): Field => {
      if (!field.labels) return field;
      for (const [name, value] of Object.entries(field.labels)) if ((!keep || keep.includes(name)) && name !== options.valueLabel) values.set(name, (values.get(name) ?? new Set()).add(value));
      const named = !keep || keep.includes(options.valueLabel) ? field.labels[options.valueLabel] : undefined;
      return { ...field, name: named ?? field.name, labels: undefined, config: { ...field.config, displayName: undefined, displayNameFromDS: undefined } };
    });
    const columns = [...values].flatMap(([name, all]) => [...all].map((value): Field => ({ name, type: 'string', config: {}, values: new Array(frame.length).fill(value) })));
    return { ...frame, fields: [...fields, ...columns] };
  });
};

function toRows(field: Field, frame: Frame, frames: Frame[], keep: string[] | undefined): Frame[] {
  const entries = keep ? keep.map((name) => [name, field.labels![name]]) : Object.entries(field.labels!);
  if (!entries.length) return [];
  const fields: Field[] = [
    { name: 'label', type: 'string', config: {}, values: entries.map(([n]) => n) },
    { name: 'value', type: 'string', config: {}, values: entries.map(([, v]) => v) },
  ];
  return [{ ...frame, name: displayName(field, frame, frames), length: entries.length, fields }];
}
