/** Tables of several queries name their values apart: `Value #A`, `Value #B`, as dashboards' transformations and overrides expect. */
import type { Frame } from './frames';

export function nameTableValues(frames: Frame[]): Frame[] {
  const isTable = (f: Frame) => f.meta?.preferredVisualisationType === 'table';
  const queries = new Set(frames.filter(isTable).map((f) => f.refId));
  if (queries.size < 2) return frames;
  return frames.map((frame) => (isTable(frame) ? { ...frame, fields: frame.fields.map((f) => (f.name === 'Value' && f.type === 'number' ? { ...f, name: `Value #${frame.refId}` } : f)) } : frame));
}
