/** The single values that stat, gauge, bar gauge and pie show: one a series, or one a row. */
import { displayName } from './displayName';
import { extentOf, makeDisplay, parseRegex, type Display, type DisplayContext, type DisplayValue } from './display';
import type { Field, Frame } from './frames';
import { timeField } from './frames';
import { calculation } from './reduce';

export interface SingleValue {
  name: string;
  value: DisplayValue;
  raw: unknown;
  field: Field;
  frame: Frame;
  display: Display;
  /** The series behind the value, for a sparkline. */
  times?: number[];
}

export interface ReduceOptions {
  calcs?: string[];
  /** A field name or regex; empty: all numbers. */
  fields?: string;
  /** One value a row instead of one a series. */
  values?: boolean;
  limit?: number;
}

const MOST = 200;

export function singleValues(frames: readonly Frame[], options: ReduceOptions | undefined, context: DisplayContext): SingleValue[] {
  const calc = calculation(options?.calcs?.[0] ?? 'lastNotNull') ?? calculation('lastNotNull')!;
  const picked = pick(frames, options?.fields);
  // Limits that the panel leaves open are those of all values together, so that bars compare.
  const shared = extentOf(picked.map((p) => p.field).filter((f) => f.type === 'number'));
  const result: SingleValue[] = [];
  picked.forEach(({ field, frame }, index) => {
    const name = displayName(field, frame, frames);
    const display = makeDisplay(field, context, index, shared, name);
    const keep = calc.sameUnit ? display : makeDisplay({ ...field, config: { ...field.config, unit: field.config.unit === undefined ? undefined : calc.id === 'diffperc' ? 'percent' : 'none' } }, context, index, shared, name);
    if (!options?.values) {
      const raw = field.type === 'number' || calc.sameUnit ? calc.of(field.values, field.type) : null;
      result.push({ name, raw, value: keep(raw), field, frame, display, times: timeField(frame)?.values });
      return;
    }
    const label = frame.fields.find((f) => f.type === 'string' && f !== field);
    for (let i = 0; i < Math.min(frame.length, options.limit ?? 25); i++) {
      const rowName = label ? String(label.values[i]) : frame.length > 1 ? `${name} ${i + 1}` : name;
      const rowDisplay = makeDisplay(field, context, result.length, shared, rowName);
      result.push({ name: rowName, raw: field.values[i], value: rowDisplay(field.values[i]), field, frame, display: rowDisplay });
    }
  });
  return result.slice(0, MOST);
}

/** By shown names; where none is called so, by the names that fields have themselves: `/^Value$/` of old dashboards means what has no name of its own. */
function pick(frames: readonly Frame[], fields: string | undefined): { field: Field; frame: Frame }[] {
  const all = frames.flatMap((frame) => frame.fields.map((field) => ({ field, frame })));
  if (!fields) return all.filter(({ field }) => field.type === 'number');
  const shownAs = ({ field, frame }: (typeof all)[number]) => displayName(field, frame, frames);
  if (!fields.startsWith('/')) return all.filter((one) => one.field.name === fields || shownAs(one) === fields);
  const regex = parseRegex(fields);
  const found = all.filter((one) => regex?.test(shownAs(one)));
  return found.length ? found : all.filter(({ field }) => regex?.test(field.name));
}
