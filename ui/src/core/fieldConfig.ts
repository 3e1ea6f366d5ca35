/** A panel's field settings put onto the frames of its answer: defaults, then overrides in order; what the datasource sent is weakest. */
import { parseRegex } from './display';
import { displayName } from './displayName';
import type { Field, FieldConfig, Frame } from './frames';
import { calculation } from './reduce';

export interface FieldConfigSource {
  defaults: FieldConfig;
  overrides: Override[];
}

export interface Override {
  matcher: { id: string; options?: any };
  properties: { id: string; value?: any }[];
}

/** New frames with merged settings; columns are shared with the input. */
export function applyFieldConfig(frames: readonly Frame[], source: FieldConfigSource | undefined): Frame[] {
  const { defaults = {}, overrides = [] } = source ?? {};
  const withDefaults = frames.map((frame) => ({ ...frame, fields: frame.fields.map((field) => ({ ...field, config: merge(field, defaults) })) }));
  for (const frame of withDefaults)
    for (const field of frame.fields) {
      const name = displayName(field, frame, withDefaults);
      for (const override of overrides) if (matches(override.matcher, field, frame, name)) for (const property of override.properties) setProperty(field.config, property.id, property.value);
    }
  return withDefaults;
}

/** Units, thresholds and mappings of the panel are for its numbers; a time column keeps its own form. */
function merge(field: Field, defaults: FieldConfig): FieldConfig {
  const { unit, decimals, min, max, thresholds, displayName: _name, ...rest } = defaults;
  const custom = { ...defaults.custom, ...field.config.custom };
  if (field.type === 'time') return { ...rest, ...field.config, custom };
  const defined = Object.fromEntries(Object.entries({ unit, decimals, min, max, thresholds, displayName: defaults.displayName }).filter(([, v]) => v !== undefined && v !== null && v !== ''));
  return { ...field.config, ...rest, ...defined, custom };
}

function setProperty(config: FieldConfig, id: string, value: unknown): void {
  const path = id.split('.');
  let target = config as Record<string, any>;
  for (const key of path.slice(0, -1)) {
    if (key === '__proto__' || key === 'constructor') return;
    target[key] = { ...target[key] };
    target = target[key];
  }
  const key = path.at(-1)!;
  if (key !== '__proto__') target[key] = value;
}

export function matches(matcher: Override['matcher'], field: Field, frame: Frame, name: string): boolean {
  const { id, options } = matcher;
  switch (id) {
    case 'byName':
      // Automatic legends are shortened on the screen; overrides may hold them in full.
      return name === options || field.name === options || field.config.displayNameFromDS === options;
    case 'byNames': {
      const names: string[] = options?.names ?? options ?? [];
      return names.includes(name) !== (options?.mode === 'exclude' || !!options?.readOnly && options?.mode === 'exclude');
    }
    case 'byRegexp':
      return parseRegex(String(options))?.test(name) ?? false;
    case 'byType':
      return field.type === options;
    case 'byTypes':
      return (options ?? []).includes(field.type);
    case 'numeric':
      return field.type === 'number';
    case 'time':
      return field.type === 'time';
    case 'byFrameRefID':
      return frame.refId === options;
    case 'byValue':
      return field.type === 'number' && matchesValue(field, options);
    default:
      return false;
  }
}

function matchesValue(field: Field, options: { reducer?: string; op?: string; value?: number } | undefined): boolean {
  const value = calculation(options?.reducer ?? 'lastNotNull')?.of(field.values);
  const wanted = options?.value ?? 0;
  if (typeof value !== 'number' && typeof value !== 'boolean') return false;
  const n = Number(value);
  return { gt: n > wanted, gte: n >= wanted, lt: n < wanted, lte: n <= wanted, eq: n === wanted, '==': n === wanted, '!=': n !== wanted, neq: n !== wanted, '>': n > wanted, '>=': n >= wanted, '<': n < wanted, '<=': n <= wanted }[options?.op ?? 'gte'] ?? false;
}
