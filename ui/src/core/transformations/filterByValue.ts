/** Rows whose values pass tests. */
import { parseRegex } from '../display';
import { displayName } from '../displayName';
import { pickRows } from './rows';
import type { Transformer } from './types';

type Test = (value: any, options: any) => boolean;
const isNull = (v: unknown) => v === null || v === undefined;

/** Comparisons are JavaScript's loose ones, as in Grafana: rules hold texts, `'5'` is 5, and what is absent is below 1. */
const ofNumbers =
  (test: Test): Test =>
  (v, o) =>
    !Number.isNaN(Number(v)) && test(v, o);

const TESTS: Record<string, Test> = {
  isNull,
  isNotNull: (v) => !isNull(v),
  equal: (v, o) => v == o.value,
  notEqual: (v, o) => v != o.value,
  greater: ofNumbers((v, o) => v > o.value),
  greaterOrEqual: ofNumbers((v, o) => v >= o.value),
  lower: ofNumbers((v, o) => v < o.value),
  lowerOrEqual: ofNumbers((v, o) => v <= o.value),
  between: ofNumbers((v, o) => v > Number(o.from) && v < Number(o.to)),
  // A pattern that cannot be read filters nothing; `spyglass test dashboards` names it.
  regex: (v, o) => !isNull(v) && (parseRegex(`/${o.value}/`)?.test(String(v)) ?? true),
  substring: (v, o) => o.value === '' || (isText(v, o) && includes(v, o)),
  notSubstring: (v, o) => isText(v, o) && !includes(v, o),
};

const isText: Test = (v, o) => typeof v === 'string' && v !== '' && Boolean(o.value);
const includes: Test = (v, o) => v.toLowerCase().includes(String(o.value).toLowerCase());

export const filterByValue: Transformer = (frames, options) => {
  const filters: any[] = options.filters ?? [];
  if (!filters.length) return frames;
  const keep = options.type !== 'exclude';
  return frames.map((frame) => {
    const tests = filters.map((f): ((row: number) => boolean) => {
      const field = frame.fields.find((x) => displayName(x, frame, frames) === f.fieldName || x.name === f.fieldName);
      const test = TESTS[f.config?.id];
      return field && test ? (row) => test(field.values[row], f.config.options ?? {}) : () => false;
    });
    const passes = (row: number) => (options.match === 'all' ? tests.every((t) => t(row)) : tests.some((t) => t(row))) === keep;
    return pickRows(frame, Array.from({ length: frame.length }, (_, i) => i).filter(passes));
  });
};
