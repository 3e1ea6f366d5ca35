/** The fields of all frames in one frame; what is shorter ends with nothing. */
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';

export const concatenate: Transformer = (frames, options) => {
  if (frames.length < 2) return frames;
  const length = Math.max(...frames.map((f) => f.length));
  const fields = frames.flatMap((frame) => frame.fields.map((field) => ({ ...named(field, frame, options), values: Array.from({ length }, (_, i) => field.values[i] ?? null) })));
  return [{ fields, length }];
};

/** The frame's name goes into the field's, into a label, or nowhere. */
function named(field: Field, frame: Frame, { frameNameMode = 'field', frameNameLabel = 'frame' }: { frameNameMode?: string; frameNameLabel?: string }): Field {
  if (!frame.name || frameNameMode === 'drop') return field;
  if (frameNameMode === 'label') return { ...field, labels: { ...field.labels, [frameNameLabel]: frame.name } };
  return { ...field, name: !field.name || field.name === 'Value' ? frame.name : `${frame.name} · ${field.name}` };
}
