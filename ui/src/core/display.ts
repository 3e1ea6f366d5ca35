/** Value -> what is shown: text, colour, place between min and max. Mappings first, then unit; thresholds and modes give the colour. */
import { colorScale, resolveColor, type ColorScale, type ThemeName } from './colors';
import type { Field, Frame, MappingResult, ValueMapping } from './frames';
import { displayName } from './displayName';
import { formattedText, unitFormatter, type Formatted, type FormatContext } from './units';

export interface DisplayValue extends Formatted {
  /** NaN for what is no number. */
  numeric: number;
  color: string;
  /** Place between min and max, 0 to 1. */
  percent: number;
  /** Set where a mapping applied. */
  mapped?: boolean;
}

export interface DisplayContext extends FormatContext {
  theme: ThemeName;
}

export type Display = ((value: unknown) => DisplayValue) & { scale: ColorScale; text: (value: unknown) => string };

export interface Extent {
  min: number;
  max: number;
}

/** Smallest and largest finite number; 0 and 1 where there is none. */
export function extentOf(fields: readonly Field[]): Extent {
  let min = Infinity;
  let max = -Infinity;
  for (const field of fields)
    for (const v of field.values) {
      if (typeof v !== 'number' || !Number.isFinite(v)) continue;
      if (v < min) min = v;
      if (v > max) max = v;
    }
  return min <= max ? { min, max } : { min: 0, max: 1 };
}

/** Min and max of a field: its own settings, else those of the data. */
export function fieldExtent(field: Field, shared?: Extent): Extent {
  const data = typeof field.config.min === 'number' && typeof field.config.max === 'number' ? { min: 0, max: 1 } : (shared ?? extentOf([field]));
  const min = field.config.min ?? data.min;
  const max = field.config.max ?? data.max;
  return { min, max };
}

export function findMapping(value: unknown, mappings: readonly ValueMapping[] | undefined): MappingResult | undefined {
  for (const mapping of mappings ?? []) {
    const result = matchMapping(value, mapping);
    if (result) return result;
  }
  return undefined;
}

function matchMapping(value: unknown, mapping: ValueMapping): MappingResult | undefined {
  switch (mapping.type) {
    case 'value':
      return value === null || value === undefined ? mapping.options.null : Object.hasOwn(mapping.options, String(value)) ? mapping.options[String(value)] : undefined;
    case 'range': {
      const n = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
      const { from, to, result } = mapping.options;
      return !Number.isNaN(n) && n >= (from ?? -Infinity) && n <= (to ?? Infinity) ? result : undefined;
    }
    case 'regex': {
      if (value === null || value === undefined) return undefined;
      const regex = parseRegex(mapping.options.pattern);
      if (!regex?.test(String(value))) return undefined;
      const { result } = mapping.options;
      return result.text === undefined ? result : { ...result, text: String(value).replace(regex, result.text) };
    }
    case 'special':
      return matchSpecial(value, mapping.options.match) ? mapping.options.result : undefined;
  }
}

function matchSpecial(value: unknown, match: string): boolean {
  const isNull = value === null || value === undefined;
  const isNaN = typeof value === 'number' && Number.isNaN(value);
  if (match === 'null') return isNull;
  if (match === 'nan') return isNaN;
  if (match === 'null+nan') return isNull || isNaN;
  if (match === 'empty') return value === '';
  return (match === 'true' && value === true) || (match === 'false' && value === false);
}

/** `/pattern/flags` or a bare pattern; undefined where it does not compile. */
export function parseRegex(text: string): RegExp | undefined {
  const slashed = /^\/(.*)\/([gimsuy]*)$/s.exec(text);
  try {
    return slashed ? new RegExp(slashed[1], slashed[2].replace('g', '')) : new RegExp(text);
  } catch {
    return undefined;
  }
}

/** Build the display of one field. `seriesIndex`: its place among the frames' number fields, for the palette. */
export function makeDisplay(field: Field, context: DisplayContext, seriesIndex = 0, shared?: Extent, name = displayName(field)): Display {
  const { config } = field;
  const extent = fieldExtent(field, shared);
  const unit = field.type === 'time' ? (config.unit ?? 'dateTimeAsIso') : config.unit;
  const format = unitFormatter(unit);
  const scale = colorScale(config, name, seriesIndex, context.theme, extent);
  const span = extent.max - extent.min;

  const display = ((value: unknown): DisplayValue => {
    const mapping = findMapping(value, config.mappings);
    const numeric = toNumber(value, field.type);
    const percent = span > 0 ? Math.min(1, Math.max(0, (numeric - extent.min) / span)) : 0;
    const color = mapping?.color ? resolveColor(mapping.color, context.theme) : Number.isNaN(numeric) ? (scale.byValue ? resolveColor('text', context.theme) : scale.series) : scale.of(numeric);
    if (mapping?.text !== undefined && mapping.text !== '') return { text: mapping.text, numeric, percent, color, mapped: true };
    if (value === null || value === undefined || value === '') return { text: config.noValue ?? '', numeric: NaN, percent: 0, color };
    if (typeof value === 'object') return { text: JSON.stringify(value), numeric, percent, color };
    if (typeof value === 'boolean' && !config.unit) return { text: String(value), numeric, percent, color };
    if (typeof value === 'string' && (field.type !== 'time' && (unit === undefined || unit === 'string' || Number.isNaN(numeric)))) return { text: value, numeric, percent, color };
    return { ...format(numeric, config.decimals, context), numeric, percent, color };
  }) as Display;
  display.scale = scale;
  display.text = (value) => formattedText(display(value));
  return display;
}

function toNumber(value: unknown, type: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'string' || value.trim() === '') return NaN;
  return type === 'time' ? Date.parse(value) : Number(value);
}

/** Displays for every field of the frames, numbered as the palette numbers them. */
export function frameDisplays(frames: readonly Frame[], context: DisplayContext, shared?: Extent): Map<Field, Display> {
  const displays = new Map<Field, Display>();
  let index = 0;
  for (const frame of frames) for (const field of frame.fields) displays.set(field, makeDisplay(field, context, field.type === 'number' ? index++ : 0, shared, displayName(field, frame, frames)));
  return displays;
}
