/** Each row becomes a field of one value, with the settings and labels that stand beside it. A frame without a name and a value stays. */
import type { Field, Frame, Labels } from '../frames';
import { configOf, mapColumns } from './configMapping';
import type { Transformer } from './types';

export const rowsToFields: Transformer = (frames, options) => frames.map((frame) => turned(frame, Array.isArray(options.mappings) ? options.mappings : []));

function turned(frame: Frame, mappings: Parameters<typeof mapColumns>[1]): Frame {
  const columns = mapColumns(frame, mappings, true);
  // Of several that are mapped to it, the last.
  const [name, value] = ['field.name', 'field.value'].map((key) => columns.findLast((c) => c.key === key)?.field);
  if (!name || !value) return frame;
  const labels = columns.filter((c) => c.key === 'field.label');
  const fields = name.values.map((text, row): Field => {
    const own: Labels = { ...name.labels, ...Object.fromEntries(labels.flatMap((c) => (c.field.values[row] === null || c.field.values[row] === undefined ? [] : [[c.name, c.field.values[row]]]))) };
    return { name: String(text), type: value.type, config: configOf(columns, (c) => c.field.values[row]), labels: own, values: [value.values[row]] };
  });
  return { refId: frame.refId, fields, length: fields.length ? 1 : 0 };
}
