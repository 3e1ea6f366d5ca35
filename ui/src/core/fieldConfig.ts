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
      let name = displayName(field, frame, withDefaults);
      for (const { matcher, properties } of overrides) {
        if (!matches(matcher, field, frame, name)) continue;
        for (const property of properties) setProperty(field.config, property.id, property.value);
        // What comes later sees the new name.
        if (properties.some((p) => p.id === 'displayName')) name = displayName(field, frame, withDefaults);
      }
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
  if (key === '__proto__') return;
  // Lists, mappings and links, add to what is there: the override's come first.
  target[key] = Array.isArray(value) && Array.isArray(target[key]) ? [...value, ...target[key]] : value;
}

export function matches(matcher: Override['matcher'], field: Field, frame: Frame, name: string): boolean {
  const { id, options } = matcher;
  switch (id) {
    case 'byName':
      return isNamed(field, frame, name, [options]);
    case 'byNames': {
      const names: string[] = options?.names ?? (Array.isArray(options) ? options : []);
      return isNamed(field, frame, name, names) !== (options?.mode === 'exclude');
    }
    case 'byRegexp':
      return !!options && (parseRegex(String(options))?.test(name) ?? false);
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
      return matchesValue(field, options);
    default:
      return false;
  }
}

/** Automatic legends are shortened on the screen; settings may hold them in full. `Value` is also what is called as its metric, `Time` any time. */
export function isNamed(field: Field, frame: Frame, name: string, wanted: readonly string[]): boolean {
  if ([name, field.name, field.config.displayNameFromDS].some((n) => n !== undefined && wanted.includes(n))) return true;
  if (wanted.includes('Value')) return field.labels?.__name__ !== undefined && field.labels.__name__ === field.name;
  return (wanted.includes('Time') || wanted.includes('time')) && field.type === 'time' && !frame.meta?.typeVersion;
}

const COMPARE: Record<string, (a: any, b: any) => boolean> = { gt: (a, b) => a > b, gte: (a, b) => a >= b, lt: (a, b) => a < b, lte: (a, b) => a <= b, eq: (a, b) => String(a) === String(b), neq: (a, b) => String(a) !== String(b) };
const SIGNS: Record<string, string> = { '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte', '==': 'eq', '=': 'eq', '!=': 'neq' };

/** `allIsZero` and `allIsNull` answer themselves; of nothing only equality is true. */
function matchesValue(field: Field, options: { reducer?: string; op?: string; value?: number } | undefined): boolean {
  const calc = options?.reducer ? calculation(options.reducer) : undefined;
  if (!calc) return false;
  const value = calc.of(field.values, field.type);
  if (calc.id === 'allIsZero' || calc.id === 'allIsNull') return Boolean(value);
  const op = SIGNS[options!.op ?? 'eq'] ?? options!.op!;
  const absent = (value === null || options!.value === undefined || options!.value === null) && (op === 'gte' || op === 'lte');
  return COMPARE[absent ? 'eq' : op]?.(value ?? 'null', options!.value ?? 'null') ?? false;
}
