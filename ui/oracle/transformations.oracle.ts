/**
 * Each transformation on made-up frames with made-up options. What the library lacks (extractFields, timeSeriesTable, partitionByValues, prepareTimeSeries,
 * joinByLabels, heatmap, rowsToFields, configFromData: they are part of Grafana's application) has unit tests beside it.
 */
import { describe, expect, test } from 'vitest';
import { displayName } from '../src/core/displayName';
import type { Frame } from '../src/core/frames';
import { both, seenByUs } from './compare';
import { frames, series, table, wide } from './generate';
import { random, seeds, type Random } from './random';

type Options = (r: Random, names: string[], input: Frame[]) => object;
interface Case {
  id: string;
  title?: string;
  options: Options;
  /** Frames it is used on; all kinds where absent. */
  input?: (r: Random) => Frame[];
  count?: number;
}

const REDUCERS = ['sum', 'mean', 'max', 'min', 'lastNotNull', 'last', 'first', 'count', 'range', 'diff', 'distinctCount', 'changeCount', 'allIsZero', 'allIsNull'];
const one = (...kinds: ((r: Random, refId: string) => Frame)[]) => (r: Random) => [r.pick(kinds)(r, 'A')];
const names = (input: Frame[]) => [...new Set(input.flatMap((f) => f.fields.map((x) => displayName(x, f, input))))];
const someOf = (r: Random, from: readonly string[]) => Object.fromEntries(r.some(from).map((n) => [n, true]));

const VALUE_TESTS: Record<string, (r: Random) => object> = {
  isNull: () => ({}),
  isNotNull: () => ({}),
  greater: (r) => ({ value: r.int(-2, 50) }),
  greaterOrEqual: (r) => ({ value: r.int(-2, 50) }),
  lower: (r) => ({ value: r.int(-2, 50) }),
  lowerOrEqual: (r) => ({ value: r.int(-2, 50) }),
  equal: (r) => ({ value: r.pick([0, 1, 'api']) }),
  notEqual: (r) => ({ value: r.pick([0, 1, 'api']) }),
  substring: (r) => ({ value: r.pick(['a', 'WEB', '']) }),
  notSubstring: (r) => ({ value: r.pick(['a', 'WEB']) }),
  between: (r) => ({ from: r.int(-3, 3), to: r.int(4, 1000) }),
  regex: (r) => ({ value: r.pick(['web', '^\\d', '.*']) }),
};

/**
 * Where we mean to differ, and what the options below leave out:
 * - organize names the fields of several frames as it shows them; theirs partly as if each were alone.
 * - reduce keeps all rows of a column; theirs drops those of frames whose results are of another type, which leaves columns of different lengths.
 * - calculateField: an absent value is no value of its own (distinctCount, changeCount); a moving mean moves on over absent values.
 * - convertFieldType: a text stays as it is, where theirs gets quotes, and what is absent stays absent, where theirs is `null` in letters.
 * - formatTime leaves alone what is no time.
 * - histogram: the combined counts have no labels.
 */
const CASES: Case[] = [
  { id: 'organize', count: 60, input: one(series, table, wide), options: (r, n) => ({ excludeByName: r.chance(0.5) ? someOf(r, n) : {}, indexByName: r.chance(0.5) ? Object.fromEntries(r.some(n).map((x) => [x, r.int(0, 5)])) : {}, renameByName: Object.fromEntries(r.some(n).map((x) => [x, r.pick(['one', 'two', ''])])), includeByName: r.chance(0.2) ? someOf(r, n) : {} }) },
  { id: 'merge', input: (r) => frames(r, table), options: () => ({}), count: 60 },
  { id: 'merge', title: 'merge of wide tables', input: (r) => frames(r, wide), options: () => ({}) },
  { id: 'merge', title: 'merge of series', input: (r) => frames(r, series), options: () => ({}) },
  { id: 'renameByRegex', options: (r) => ({ regex: r.pick(['(.*)', '/e/', '/e/g', 'job="(.*)"', '/^(.)(.*)$/', 'cpu']), renamePattern: r.pick(['$1', 'x', '$1-y']) }) },
  { id: 'joinByField', title: 'joinByField outer', input: (r) => frames(r, series), options: (r) => ({ mode: 'outer', byField: r.pick([undefined, 'Time']) }), count: 60 },
  { id: 'joinByField', title: 'joinByField outer of tables', input: (r) => frames(r, table), options: (r) => ({ mode: 'outer', byField: r.pick(['job', 'instance']) }), count: 60 },
  { id: 'joinByField', title: 'joinByField inner', input: (r) => frames(r, series), options: () => ({ mode: 'inner', byField: 'Time' }), count: 60 },
  { id: 'joinByField', title: 'joinByField inner of tables', input: (r) => frames(r, table), options: (r) => ({ mode: 'inner', byField: r.pick(['job', 'instance']) }), count: 60 },
  { id: 'seriesToColumns', input: (r) => frames(r, series), options: (r) => ({ byField: r.pick([undefined, 'Time']) }) },
  { id: 'groupBy', input: (r) => frames(r, r.pick([table, wide])), options: (r, n) => ({ fields: Object.fromEntries(r.some(n).map((x) => [x, r.chance(0.4) ? { operation: 'groupby', aggregations: [] } : { operation: 'aggregate', aggregations: r.some(REDUCERS) }])) }), count: 80 },
  { id: 'filterFieldsByName', options: (r, n) => ({ include: r.chance(0.7) ? r.pick([{ names: r.some(n) }, { pattern: r.pick(['/^V|T/', 'cpu', '/job/']) }, { names: r.some(n), pattern: '/e/' }]) : undefined, exclude: r.chance(0.4) ? { names: r.some(n) } : undefined }), count: 60 },
  { id: 'filterByRefId', options: (r) => ({ include: r.pick(['A', 'B', 'A|B', '/[AB]/', 'Z']) }) },
  { id: 'sortBy', input: (r) => frames(r, r.pick([table, wide])), options: (r, n) => ({ fields: {}, sort: [{ field: r.pick(n), desc: r.chance(0.5) }] }), count: 60 },
  { id: 'limit', options: (r) => ({ limitField: r.pick([0, 1, 2, 3, 100, '2']) }) },
  { id: 'calculateField', title: 'calculateField reduceRow', options: (r, n) => ({ mode: 'reduceRow', reduce: { reducer: r.pick(REDUCERS.filter((id) => id !== 'distinctCount' && id !== 'changeCount')), include: r.chance(0.5) ? r.some(n.filter((x) => !/time|job|instance|host|up/i.test(x) || x.includes('{'))) : undefined }, alias: r.pick([undefined, 'made']), replaceFields: r.chance(0.3) }), count: 60 },
  { id: 'calculateField', title: 'calculateField binary', input: one(wide), options: (r) => ({ mode: 'binary', binary: { left: operand(r), operator: r.pick(['+', '-', '*', '/']), right: operand(r) }, alias: r.pick([undefined, 'made']), replaceFields: r.chance(0.3) }), count: 60 },
  { id: 'calculateField', title: 'calculateField unary', input: one(wide), options: (r) => ({ mode: 'unary', unary: { operator: r.pick(['abs', 'exp', 'ln', 'floor', 'ceil', 'percent']), fieldName: r.pick(['cpu', 'memory', 'nobody']) }, replaceFields: r.chance(0.3) }), count: 40 },
  { id: 'calculateField', title: 'calculateField cumulative', input: one(wide), options: (r) => ({ mode: 'cumulativeFunctions', cumulative: { field: r.pick(['cpu', 'memory']), reducer: r.pick(['sum', 'mean']) }, replaceFields: r.chance(0.3) }), count: 40 },
  { id: 'calculateField', title: 'calculateField window', input: one(wide), options: (r) => ({ mode: 'windowFunctions', window: { field: 'memory', reducer: r.pick(['mean', 'variance', 'stdDev']), windowAlignment: r.pick(['trailing', 'centered']), windowSize: r.pick([0.1, 0.5, 1, 2, 3]), windowSizeMode: r.pick(['percentage', 'fixed']) } }), count: 60 },
  { id: 'calculateField', title: 'calculateField index', input: one(wide), options: (r) => ({ mode: 'index', index: { asPercentile: r.chance(0.5) }, replaceFields: r.chance(0.3) }) },
  { id: 'labelsToFields', title: 'labelsToFields columns', input: (r) => frames(r, series), options: (r) => ({ mode: 'columns', keepLabels: r.chance(0.3) ? ['job', 'le'] : undefined, valueLabel: r.chance(0.3) ? 'job' : undefined }), count: 80 },
  { id: 'labelsToFields', title: 'labelsToFields rows', input: (r) => frames(r, series), options: (r) => ({ mode: 'rows', keepLabels: r.chance(0.3) ? ['job'] : undefined }), count: 40 },
  { id: 'reduce', title: 'reduce seriesToRows', input: (r) => (r.chance(0.5) ? [r.pick([table, wide])(r, 'A')] : frames(r, series)).filter((f) => f.length > 0), options: (r) => ({ reducers: r.some(REDUCERS), mode: 'seriesToRows', includeTimeField: r.chance(0.3), labelsToFields: r.chance(0.4) }), count: 80 },
  { id: 'reduce', title: 'reduce reduceFields', options: (r) => ({ reducers: [r.pick(REDUCERS)], mode: 'reduceFields', includeTimeField: r.chance(0.3) }), count: 60 },
  { id: 'filterByValue', input: (r) => frames(r, wide), options: (r) => ({ type: r.pick(['include', 'exclude']), match: r.pick(['all', 'any']), filters: Array.from({ length: r.int(1, 2) }, () => { const id = r.pick(Object.keys(VALUE_TESTS)); return { fieldName: r.pick(['cpu', 'memory', 'host']), config: { id, options: VALUE_TESTS[id](r) } }; }) }), count: 150 },
  { id: 'seriesToRows', input: (r) => frames(r, series), options: () => ({}), count: 40 },
  { id: 'convertFieldType', options: (r) => ({ conversions: [r.pick([{ targetField: r.pick(['host', 'cpu', 'up', 'job', 'Value', 'time']), destinationType: r.pick(['number', 'boolean']) }, { targetField: r.pick(['up', 'time']), destinationType: 'string', dateFormat: 'YYYY-MM-DD HH:mm', timezone: 'utc' }])] }), count: 60 },
  { id: 'groupingToMatrix', input: one(table), options: (r) => ({ columnField: r.pick(['job', 'instance']), rowField: r.pick(['instance', 'job']), valueField: 'Value', emptyValue: r.pick([undefined, 'null', 'zero', 'empty', 'true', 'false']) }), count: 60 },
  { id: 'formatTime', input: (r) => frames(r, wide), options: (r) => ({ timeField: r.pick(['time', 'host time']), outputFormat: r.pick(['YYYY-MM-DD', 'HH:mm:ss', 'DD.MM.YYYY HH:mm', 'MMM D, YYYY h:mm a', 'dddd']), timezone: r.pick(['utc', 'Europe/Berlin', 'America/New_York']) }) },
  { id: 'formatString', input: (r) => frames(r, r.pick([wide, table])), options: (r) => ({ stringField: r.pick(['host', 'job', 'instance']), outputFormat: r.pick(['Upper Case', 'Lower Case', 'Sentence Case', 'Title Case', 'Pascal Case', 'Camel Case', 'Snake Case', 'Kebab Case', 'Trim', 'Substring']), substringStart: r.int(0, 2), substringEnd: r.pick([undefined, 3, 1]) }), count: 60 },
  { id: 'concatenate', options: (r) => ({ frameNameMode: r.pick(['drop', 'label', 'field']), frameNameLabel: 'frame' }) },
  { id: 'histogram', input: (r) => frames(r, series), options: (r) => ({ bucketSize: r.pick([undefined, 1, 100]), bucketOffset: r.pick([undefined, 0]), combine: false }) },
  { id: 'transpose', input: one(wide, table), options: (r) => ({ firstFieldName: r.pick([undefined, 'first']), restFieldsName: r.pick([undefined, 'rest']) }) },
];

function operand(r: Random): object | string {
  return r.pick([{ matcher: { id: 'byName', options: 'cpu' } }, { matcher: { id: 'byName', options: 'memory' } }, { fixed: '2' }, 'cpu', 'memory', '0.5']);
}

describe.each(CASES.map((c) => [c.title ?? c.id, c] as const))('%s', (_title, { id, options, input, count = 30 }) => {
  test.each(seeds(count))('seed %i', async (seed) => {
    const r = random(seed);
    const given = (input ?? ((x) => frames(x)))(r);
    const chosen = options(r, names(given), given);
    const [ours, theirs] = await both(given, [{ id, options: chosen }]);
    expect(ours.join('\n'), [JSON.stringify(chosen), 'of', ...seenByUs(given), ''].join('\n')).toBe(theirs.join('\n'));
  });
});
