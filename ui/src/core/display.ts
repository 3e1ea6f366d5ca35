/** Value -> what is shown: text, colour, place between min and max. Mappings first, then unit; thresholds and modes give the colour. */
import { colorScale, continuousStops, resolveColor, type ColorScale, type ThemeName } from './colors';
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

/** Min and max of a field: its own settings, else those of the data. What is no number lies between 0 and 100. */
export function fieldExtent(field: Field, shared?: Extent): Extent {
  const { min, max } = field.config;
  if (typeof min === 'number' && typeof max === 'number') return { min, max };
  if (field.type !== 'number') return { min: 0, max: 100 };
  const data = shared && !field.config.fieldMinMax ? shared : extentOf([field]);
  return { min: min ?? data.min, max: max ?? data.max };
}

/** The same, worked out when somebody asks: most graphs colour by series, and nobody does. */
export function lazyExtent(field: Field, shared?: Extent): Extent {
  let found: Extent | undefined;
  const extent = () => (found ??= fieldExtent(field, shared));
  return {
    get min() {
      return extent().min;
    },
    get max() {
      return extent().max;
    },
  };
}

export function findMapping(value: unknown, mappings: readonly ValueMapping[] | undefined): MappingResult | undefined {
  for (const mapping of mappings ?? []) {
    const result = matchMapping(value, mapping);
    if (result) return result;
  }
  return undefined;
}

function matchMapping(value: unknown, mapping: ValueMapping): MappingResult | undefined {
  if (mapping.type === 'special') return matchSpecial(value, mapping.options.match) ? mapping.options.result : undefined;
  if (value === null || value === undefined) return undefined;
  switch (mapping.type) {
    case 'value':
      return Object.hasOwn(mapping.options, String(value)) ? mapping.options[String(value)] : undefined;
    case 'range': {
      const n = parseFloat(String(value));
      const { from, to, result } = mapping.options;
      return !Number.isNaN(n) && n >= (from ?? -Infinity) && n <= (to ?? Infinity) ? result : undefined;
    }
    case 'regex': {
      const regex = typeof value === 'string' ? parseRegex(mapping.options.pattern) : undefined;
      if (!regex?.test(value as string)) return undefined;
      const { result } = mapping.options;
      return typeof result.text === 'string' ? { ...result, text: (value as string).replace(regex, result.text) } : result;
    }
  }
}

function matchSpecial(value: unknown, match: string): boolean {
  const isNull = value === null || value === undefined;
  const isNaN = typeof value === 'number' && Number.isNaN(value);
  if (match === 'null') return isNull;
  if (match === 'nan') return isNaN;
  if (match === 'null+nan') return isNull || isNaN;
  if (match === 'empty') return value === '';
  return (match === 'true' || match === 'false') && String(value) === match;
}

/** `/pattern/flags`, or a bare pattern that must match in full, as in Grafana; undefined where it does not compile. `g` is left out: a test has no memory. */
export function parseRegex(text: string): RegExp | undefined {
  const slashed = /^\/(.*)\/([gimsuy]*)$/s.exec(text);
  try {
    return slashed ? new RegExp(slashed[1], slashed[2].replace('g', '')) : new RegExp(`^${text}$`);
  } catch {
    return undefined;
  }
}

/** Build the display of one field. `seriesIndex`: its place among the frames' number fields, for the palette. */
export function makeDisplay(field: Field, context: DisplayContext, seriesIndex = 0, shared?: Extent, name = displayName(field)): Display {
  const { config } = field;
  const extent = lazyExtent(field, shared);
  const unit = unitOf(field);
  const format = unitFormatter(unit);
  const scale = colorScale(config, name, seriesIndex, context.theme, extent);
  const colorOf = field.type === 'boolean' ? (numeric: number) => booleanColor(numeric, config.color?.mode, context.theme) : scale.of;

  const display = ((value: unknown): DisplayValue => {
    const mapping = findMapping(value, config.mappings);
    const numeric = unit === 'string' ? NaN : toNumber(value, field.type);
    const span = extent.max - extent.min;
    const percent = span > 0 ? Math.min(1, Math.max(0, (numeric - extent.min) / span)) : 0;
    const color = mapping?.color ? resolveColor(mapping.color, context.theme) : colorOf(numeric);
    if (typeof mapping?.text === 'string') return { text: mapping.text, numeric, percent, color, mapped: true };
    if (value === null || value === undefined || value === '') return { text: config.noValue ?? '', numeric: NaN, percent: 0, color };
    if (typeof value === 'object') return { text: JSON.stringify(value), numeric, percent, color };
    if (typeof value === 'boolean' || Number.isNaN(numeric)) return { text: String(value), numeric, percent, color };
    return { ...format(numeric, config.decimals, context), numeric, percent, color };
  }) as Display;
  display.scale = scale;
  display.text = (value) => formattedText(display(value));
  return display;
}

/** Texts are texts, and booleans booleans, whatever the panel's default unit is good for. */
function unitOf({ type, config }: Field): string | undefined {
  if (type === 'time') return config.unit ?? 'dateTimeAsIso';
  if (type === 'boolean') return config.unit?.startsWith('bool') ? config.unit : 'bool';
  return config.unit || (type === 'string' ? 'string' : undefined);
}

/** Yes is green and no is red, or the ends of the gradient. */
function booleanColor(numeric: number, mode: string | undefined, theme: ThemeName): string {
  const stops = (mode && continuousStops(mode, theme)) || [resolveColor('red', theme), resolveColor('green', theme)];
  return numeric ? stops.at(-1)! : stops[0];
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
