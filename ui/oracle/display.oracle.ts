import { describe, expect, test } from 'vitest';
import { resolveColor } from '../src/core/colors';
import { makeDisplay, type DisplayValue } from '../src/core/display';
import type { Field, FieldConfig, FieldType, ValueMapping } from '../src/core/frames';
import { formattedText } from '../src/core/units';
import { booleans, numbers, texts } from './generate';
import { grafana, themes, toGrafana } from './grafana';
import { random, seeds, type Random } from './random';

const CONTEXT = { theme: 'dark' as const, zone: 'utc', now: Date.UTC(2026, 10, 23, 12) };
/** Colours as they are in both: the named ones are our own shades. */
const COLORS = ['#102030', '#405060', '#708090', '#a0b0c0'];

function thresholds(r: Random): FieldConfig['thresholds'] {
  const mode = r.chance(0.5) ? 'absolute' : 'percentage';
  const bounds = mode === 'absolute' ? [r.int(-5, 0), r.int(1, 50), r.int(51, 5000)] : [20, 50, 90];
  return { mode, steps: [{ value: null, color: COLORS[0] }, ...r.some(bounds).map((value, i) => ({ value, color: COLORS[i + 1] }))] };
}

function mapping(r: Random): ValueMapping {
  const result = { ...(r.chance(0.7) ? { text: r.pick(['yes', 'no', 'a $1', '']) } : {}), ...(r.chance(0.6) ? { color: r.pick(COLORS) } : {}), ...(r.chance(0.2) ? { icon: 'check' } : {}) };
  return r.pick<() => ValueMapping>([
    () => ({ type: 'value', options: { [r.pick(['0', '1', 'web', 'true', '-1'])]: result, api: result } }),
    () => ({ type: 'range', options: { from: r.pick([null, -1, 2, 50]), to: r.pick([null, 3, 100]), result } }),
    () => ({ type: 'regex', options: { pattern: r.pick(['/w(e)b/', '^(a)pi$', '/B/i', 'web (\\d+)']), result } }),
    () => ({ type: 'special', options: { match: r.pick(['null', 'nan', 'null+nan', 'true', 'false', 'empty']), result } }),
  ])();
}

function config(r: Random): FieldConfig {
  const made: FieldConfig = { thresholds: thresholds(r), color: { mode: r.pick(['thresholds', 'fixed']), fixedColor: r.pick(COLORS) } };
  if (r.chance(0.5)) made.unit = r.pick(['short', 'bytes', 'percent', 'percentunit', 's', 'none', 'bool', 'string', 'ops', 'reqps', 'currencyEUR', 'widgets']);
  if (r.chance(0.3)) made.decimals = r.int(0, 3);
  if (r.chance(0.3)) made.min = r.pick([0, -10]);
  if (r.chance(0.3)) made.max = r.pick([100, 1]);
  if (r.chance(0.3)) made.noValue = r.pick(['-', 'none', '0']);
  if (r.chance(0.6)) made.mappings = Array.from({ length: r.int(1, 3) }, () => mapping(r));
  return made;
}

const COLUMNS: Partial<Record<FieldType, (r: Random) => unknown[]>> = {
  number: (r) => [...numbers(r, r.int(1, 6), { nulls: true }), null, 0, 1],
  string: (r) => [...texts(r, 5, true), '12', '1.5', 'true'],
  // Absent ones are left out: theirs are green, ours have the colour of `false`.
  boolean: (r) => [true, false, ...booleans(r, 2)],
};

/** What a person sees, and where it stands between the limits. */
const ours = (v: DisplayValue) => ({ text: formattedText(v), color: v.color.toLowerCase(), numeric: v.numeric });
const SHADES: Record<string, string> = Object.fromEntries(['red', 'green'].map((name) => [themes.dark.visualization.getColorByName(name).toLowerCase(), resolveColor(name, 'dark')]));
const theirs = (v: any) => ({ text: grafana.formattedValueToString(v), color: SHADES[v.color.toLowerCase()] ?? v.color.toLowerCase(), numeric: v.numeric });

describe.each(Object.keys(COLUMNS) as FieldType[])('values of a %s field', (type) => {
  test.each(seeds(300))('seed %i', (seed) => {
    const r = random(seed);
    const field: Field = { name: 'v', type, config: config(r), values: COLUMNS[type]!(r) };
    const [frame] = grafana.applyFieldOverrides({ data: toGrafana([{ fields: [field], length: field.values.length }]), fieldConfig: { defaults: {}, overrides: [] }, theme: themes.dark, timeZone: 'utc', replaceVariables: (t: string) => t });
    const display = makeDisplay(field, CONTEXT);
    const wanted = field.values.map((v) => [v, theirs(frame.fields[0].display(v))]);
    expect(field.values.map((v) => [v, ours(display(v))]), JSON.stringify(field.config)).toEqual(wanted);
  });
});
