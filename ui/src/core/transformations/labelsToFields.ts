/** Labels become columns (or rows of name and value); the values of one series stay together. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import { merge } from './merge';
import type { Transformer } from './types';

export const labelsToFields: Transformer = (frames, options, context) => {
  const keep: string[] | undefined = options.keepLabels?.length ? options.keepLabels : undefined;
  if (options.mode === 'rows') return frames.flatMap((frame) => frame.fields.filter((f) => f.labels).map((f) => toRows(f, frame, keep)));
  const wide = frames.flatMap((frame) => {
    const labelled = frame.fields.filter((f) => f.labels && Object.keys(f.labels).length);
    if (!labelled.length) return [frame];
    const others = frame.fields.filter((f) => !labelled.includes(f));
    return labelled.map((field): Frame => {
      const entries = Object.entries(field.labels!).filter(([name]) => !keep || keep.includes(name));
      const columns = entries.filter(([name]) => name !== options.valueLabel).map(([name, value]): Field => ({ name, type: 'string', config: {}, values: new Array(frame.length).fill(value) }));
      const name = options.valueLabel ? (field.labels![options.valueLabel] ?? field.name) : field.name;
      return { ...frame, name: undefined, fields: [...others, ...columns, { ...field, name, labels: undefined, config: { ...field.config, displayName: undefined, displayNameFromDS: undefined } }] };
    });
  });
  return merge(wide, {}, context);
};

function toRows(field: Field, frame: Frame, keep: string[] | undefined): Frame {
  const entries = Object.entries(field.labels!).filter(([name]) => !keep || keep.includes(name));
  return {
    ...frame,
    name: displayName(field, frame, [frame]),
    length: entries.length,
    fields: [
      { name: 'label', type: 'string', config: {}, values: entries.map(([n]) => n) },
      { name: 'value', type: 'string', config: {}, values: entries.map(([, v]) => v) },
    ],
  };
}
