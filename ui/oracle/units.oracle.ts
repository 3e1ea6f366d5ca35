import { describe, expect, test } from 'vitest';
import { formatValue } from '../src/core/units';
import { grafana } from './grafana';
import { random } from './random';

const CONTEXT = { zone: 'utc', now: Date.UTC(2026, 10, 23, 12) };
const IDS: string[] = grafana.getValueFormats().flatMap((group: any) => group.submenu.map((unit: any) => unit.value));
/** Forms that take an argument, and ids that nobody knows. */
const FORMS = ['suffix:nodes', 'prefix:~', 'si:mF', 'si:J', 'count:jobs', 'currency:CHF', 'bool:an/aus', 'req/s', '/ sec', 'cores'];
const FIXED = [0, 1, -1, 0.5, 10, 59, 60, 999, 1000, 1024, 3600, 86400, 1e6, 1.5e9, 123456.789, 0.000123, -0.25, 1e15];

const differ = (): number[] => {
  const r = random(7);
  return Array.from({ length: 30 }, () => (r.chance(0.5) ? 1 : -1) * r.next() * 10 ** r.int(-6, 13));
};
const VALUES = [...FIXED, ...differ()];
const DECIMALS = [null, 0, 1, 2, 3, 5];

/** Times differ by the machine's zone or by words of the locale; they have tests of their own. */
const isTime = (id: string) => id.startsWith('dateTime') || id.startsWith('time:');

/**
 * Where we mean to differ. A duration below a millisecond is no text at all there, here it is the number. Clocks of negative times wrap round there
 * (-250 ms is `750ms`), here they are those of the positive time; beyond what a date can hold they are invalid there.
 */
const differs = (id: string, value: number) => {
  const ms = id === 'dtdurations' || id === 'clocks' ? value * 1000 : value;
  return (id.startsWith('dtduration') && Math.abs(ms) < 1) || (id.startsWith('clock') && (value < 0 || ms > 8.64e15));
};

describe.each([...new Set([...IDS, ...FORMS])].filter((id) => !isTime(id)))('%s', (id) => {
  test.each(DECIMALS)('decimals %s', (decimals) => {
    const values = VALUES.filter((v) => !differs(id, v));
    const theirs = values.map((v) => [v, grafana.formattedValueToString(grafana.getValueFormat(id)(v, decimals))]);
    expect(values.map((v) => [v, formatValue(v, id, decimals, CONTEXT)])).toEqual(theirs);
  });
});
