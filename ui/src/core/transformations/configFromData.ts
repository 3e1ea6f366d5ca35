/** Settings of fields from another query's answer: its columns, reduced to one value each, become min, max, unit, thresholds, mappings... */
import { displayName } from '../displayName';
import { matches } from '../fieldConfig';
import { calculation } from '../reduce';
import { configOf, mapColumns } from './configMapping';
import type { Transformer } from './types';

export const configFromData: Transformer = (frames, options) => {
  const source = frames.find((f) => f.refId === (options.configRefId ?? 'config'));
  if (!source) return frames;
  const columns = mapColumns(source, Array.isArray(options.mappings) ? options.mappings : [], false);
  const config = () => configOf(columns, (c) => calculation(c.reducerId)?.of(c.field.values, c.field.type));
  const matcher = options.applyTo?.id ? options.applyTo : { id: 'numeric' };
  // Alone it keeps its own answer, with the settings that it makes.
  const others = frames.length > 1 ? frames.filter((f) => f !== source) : frames;
  return others.map((frame) => ({ ...frame, fields: frame.fields.map((field) => (matches(matcher, field, frame, displayName(field, frame, frames)) ? { ...field, config: { ...field.config, ...config() } } : field)) }));
};
