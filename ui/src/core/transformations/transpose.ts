/** Rows become columns. The first field's values head them, where it is text or time. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import type { Transformer } from './types';

export const transpose: Transformer = (frames, options) => frames.map((frame) => transposed(frame, frames, options.firstFieldName || 'Field', options.restFieldsName || 'Value'));

function transposed(frame: Frame, frames: Frame[], firstName: string, restName: string): Frame {
  const [first] = frame.fields;
  if (!first) return frame;
  const headed = first.type === 'string' || first.type === 'time' || first.type === 'enum';
  const rest = headed ? frame.fields.slice(1) : frame.fields;
  const types = new Set(rest.map((f) => f.type));
  const type = types.size === 1 ? [...types][0] : 'string';
  const cell = (v: unknown) => (type !== 'string' ? v : v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v));
  const columns = Array.from({ length: frame.length }, (_, i): Field => {
    const labels = headed ? { [first.name]: first.values[i] === null ? '' : String(first.values[i]) } : { row: String(i + 1) };
    return { name: restName, labels, type, config: {}, values: rest.map((f) => cell(f.values[i])) };
  });
  const names: Field = { name: firstName, type: 'string', config: {}, values: rest.map((f) => displayName(f, frame, frames)) };
  return { ...frame, refId: `transpose-${frame.refId}`, fields: [names, ...columns], length: rest.length };
}
