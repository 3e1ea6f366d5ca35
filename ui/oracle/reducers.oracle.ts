import { describe, expect, test } from 'vitest';
import type { Field } from '../src/core/frames';
import { calculation } from '../src/core/reduce';
import { grafana, toGrafana } from './grafana';
import { booleans, numbers, texts } from './generate';
import { random, seeds, type Random } from './random';

const IDS: string[] = grafana.fieldReducers.list().map((r: any) => r.id).filter((id: string) => !/^p\d+$/.test(id) || ['p1', 'p5', 'p50', 'p90', 'p95', 'p99'].includes(id));

const COLUMNS: Record<string, (r: Random) => Field> = {
  numbers: (r) => ({ name: 'v', type: 'number', config: {}, values: numbers(r, r.int(1, 12)) }),
  'numbers and nulls': (r) => ({ name: 'v', type: 'number', config: {}, values: numbers(r, r.int(1, 12), { nulls: true }) }),
  'numbers, nulls and NaN': (r) => ({ name: 'v', type: 'number', config: {}, values: numbers(r, r.int(1, 12), { nulls: true, nan: true }) }),
  texts: (r) => ({ name: 'v', type: 'string', config: {}, values: texts(r, r.int(1, 6), true) }),
  booleans: (r) => ({ name: 'v', type: 'boolean', config: {}, values: booleans(r, r.int(1, 6)) }),
  nothing: () => ({ name: 'v', type: 'number', config: {}, values: [] }),
  'only nulls': (r) => ({ name: 'v', type: 'number', config: {}, values: new Array(r.int(1, 3)).fill(null) }),
  zeros: (r) => ({ name: 'v', type: 'number', config: {}, values: new Array(r.int(1, 3)).fill(0) }),
};

/**
 * Where we mean to differ. Sorting by subtraction leaves NaN, and texts, where they happen to be; a median or a spread that depends on that tells nothing.
 * Of nothing at all nothing is said, where theirs says NaN or leaves a list away.
 */
const SORTED = new Set(['median', ...IDS.filter((id) => /^p\d+$/.test(id))]);
const differs = (id: string, kind: string) =>
  (kind === 'numbers, nulls and NaN' && (SORTED.has(id) || id === 'variance' || id === 'stdDev')) ||
  ((kind === 'texts' || kind === 'booleans') && SORTED.has(id)) ||
  (kind === 'only nulls' && id === 'median') ||
  (kind === 'nothing' && ['variance', 'stdDev', 'delta', 'diffperc', 'changeCount', 'distinctCount', 'allValues', 'uniqueValues'].includes(id));

/** No number above zero: theirs says so by the largest one. */
const plain = (v: unknown) => (v === undefined || v === Number.MAX_VALUE ? null : typeof v === 'number' && Number.isFinite(v) ? Number(v.toPrecision(12)) : v);

describe.each(IDS)('%s', (id) => {
  describe.each(Object.keys(COLUMNS).filter((kind) => !differs(id, kind)))('of %s', (kind) => {
    test.each(seeds(6))('seed %i', (seed) => {
      const field = COLUMNS[kind](random(seed));
      const [frame] = toGrafana([{ fields: [field], length: field.values.length }]);
      const theirs = grafana.reduceField({ field: frame.fields[0], reducers: [id] })[id];
      expect(plain(calculation(id)?.of(field.values, field.type)), JSON.stringify(field.values)).toEqual(plain(theirs));
    });
  });
  test('is named alike', () => expect(calculation(id)?.name).toBe(grafana.fieldReducers.get(id).name));
});
