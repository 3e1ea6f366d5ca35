/** Fewer fields, rows or frames. */
import { parseRegex } from '../display';
import { displayName } from '../displayName';
import type { Field } from '../frames';
import { pickRows } from './rows';
import type { Transformer } from './types';

export const filterFieldsByName: Transformer = (frames, options, { fill }) => {
  const chosen = (rule: any): ((name: string) => boolean) | undefined => {
    const names: string[] = rule?.variable && options.byVariable ? fill(rule.variable).replace(/^\{|\}$/g, '').split(',') : (rule?.names ?? []);
    const regex = rule?.pattern ? parseRegex(fill(String(rule.pattern))) : undefined;
    return names.length || regex ? (name) => names.includes(name) || (regex?.test(name) ?? false) : undefined;
  };
  const [include, exclude] = [chosen(options.include), chosen(options.exclude)];
  return frames.flatMap((frame) => {
    const fields = frame.fields.filter((f) => {
      const name = displayName(f, frame, frames);
      return (!include || include(name)) && !exclude?.(name);
    });
    return fields.length ? [{ ...frame, fields }] : [];
  });
};

type Test = (value: any, options: any) => boolean;
const isNull = (v: unknown) => v === null || v === undefined;

const TESTS: Record<string, Test> = {
  isNull: (v) => isNull(v),
  isNotNull: (v) => !isNull(v),
  equal: (v, o) => String(v) === String(o.value),
  notEqual: (v, o) => String(v) !== String(o.value),
  greater: (v, o) => !isNull(v) && v > Number(o.value),
  greaterOrEqual: (v, o) => !isNull(v) && v >= Number(o.value),
  lower: (v, o) => !isNull(v) && v < Number(o.value),
  lowerOrEqual: (v, o) => !isNull(v) && v <= Number(o.value),
  between: (v, o) => v > Number(o.from) && v < Number(o.to),
  regex: (v, o) => parseRegex(String(o.value))?.test(String(v)) ?? false,
  substring: (v, o) => String(v ?? '').toLowerCase().includes(String(o.value ?? '').toLowerCase()),
  notSubstring: (v, o) => !String(v ?? '').toLowerCase().includes(String(o.value ?? '').toLowerCase()),
};

export const filterByValue: Transformer = (frames, options, { fill }) => {
  const filters: any[] = options.filters ?? [];
  return frames.map((frame) => {
    const tests = filters.flatMap((f): ((row: number) => boolean)[] => {
      const field: Field | undefined = frame.fields.find((x) => displayName(x, frame, frames) === f.fieldName || x.name === f.fieldName);
      const test = TESTS[f.config?.id];
      if (!field || !test) return [];
      const raw = f.config.options ?? {};
      const filled = Object.fromEntries(Object.entries(raw).map(([k, v]) => [k, typeof v === 'string' ? fill(v) : v]));
      return [(row) => test(field.values[row], filled)];
    });
    if (!tests.length) return frame;
    const keep = options.type !== 'exclude';
    const passes = (row: number) => (options.match === 'all' ? tests.every((t) => t(row)) : tests.some((t) => t(row))) === keep;
    return pickRows(frame, Array.from({ length: frame.length }, (_, i) => i).filter(passes));
  });
};

export const filterByRefId: Transformer = (frames, options) => {
  const wanted: string = options.include ?? '';
  const regex = parseRegex(wanted);
  return wanted ? frames.filter((f) => f.refId === wanted || regex?.test(f.refId ?? '')) : frames;
};

export const limit: Transformer = (frames, options, { fill }) => {
  const most = Number(typeof options.limitField === 'string' ? fill(options.limitField) : (options.limitField ?? 10));
  if (!Number.isFinite(most)) return frames;
  return frames.map((f) => (f.length > Math.abs(most) ? pickRows(f, Array.from({ length: Math.abs(most) }, (_, i) => (most < 0 ? f.length + most + i : i))) : f));
};
