import { describe, expect, test } from 'vitest';
import { parseDashboard, type VariableModel } from './dashboard';
import { interpolate, prometheusFormat } from './interpolate';
import { ALL, builtinScope, dependsOn, initialSelection, intervalOptions, parseVariableQuery, queryOptions, scopeEntry, sortOptions, staticOptions } from './variables';

const variable = (raw: object): VariableModel => parseDashboard({ templating: { list: [{ type: 'query', name: 'v', ...raw }] } }).variables[0];
const none = new Map();
const RANGE = { from: 0, to: 36e5 };

describe('query variables', () => {
  test.each([
    ['label_values(job)', { kind: 'labelValues', label: 'job', match: undefined }],
    ['label_values(up{a="b,c"}, instance)', { kind: 'labelValues', label: 'instance', match: 'up{a="b,c"}' }],
    ['label_names()', { kind: 'labelNames', match: undefined }],
    ['metrics(http.*)', { kind: 'metrics', pattern: 'http.*' }],
    ['query_result(topk(5, up))', { kind: 'queryResult', expr: 'topk(5, up)' }],
    ['up{job="x"}', { kind: 'series', match: 'up{job="x"}' }],
    [{ query: 'label_values(job)', refId: 'A' }, { kind: 'labelValues', label: 'job', match: undefined }],
    [{ qryType: 1, label: 'pod', metric: 'up', refId: 'A' }, { kind: 'labelValues', label: 'pod', match: 'up' }],
    [{ qryType: 4, seriesQuery: 'up{a="b"}' }, { kind: 'series', match: 'up{a="b"}' }],
    [{ qryType: 3 }, null],
    [{ type: 1, label: 'resource.service.name', refId: 'TempoDatasourceVariableQueryEditor-VariableQuery' }, { kind: 'labelValues', label: 'resource.service.name', match: undefined }],
    [{ type: 0, refId: 'TempoDatasourceVariableQueryEditor-VariableQuery' }, { kind: 'labelNames' }],
    [{ type: 1, label: 'app', stream: '{a="b"}' }, { kind: 'labelValues', label: 'app', match: '{a="b"}' }],
  ])('%j', (query, expected) => expect(parseVariableQuery(query, none)).toEqual(expected));

  test('the query may use other variables', () => {
    const scope = new Map([['job', { value: ['a', 'b'] }]]);
    const one = new Map([['node', { value: 'web-1.eu' }], ['nodes', { value: ['web-1.eu'] }]]);
    expect(parseVariableQuery('label_values(up{instance=~"$node:(.*)"}, instance)', one)).toMatchObject({ match: 'up{instance=~"web-1.eu:(.*)"}' });
    expect(parseVariableQuery('label_values(up{instance=~"$nodes"}, instance)', one)).toMatchObject({ match: 'up{instance=~"web-1\\\\.eu"}' });
    expect(parseVariableQuery('label_values(up{job=~"$job"}, instance)', scope)).toMatchObject({ match: 'up{job=~"(a|b)"}' });
  });
  test('regex with groups; no doubles; sorted', () => {
    expect(queryOptions(variable({ regex: '/host-(.*)/', sort: 1 }), ['host-b', 'host-a', 'host-a', 'x'], none)).toEqual([{ text: 'a', value: 'a' }, { text: 'b', value: 'b' }]);
    expect(queryOptions(variable({ regex: '/(?<text>\\w+)=(?<value>\\w+)/' }), ['a=1'], none)).toEqual([{ text: 'a', value: '1' }]);
  });
  test('sorts', () => {
    const texts = (sort: number) => sortOptions(['b10', 'B2', 'a1'].map((t) => ({ text: t, value: t })), sort).map((o) => o.text);
    expect([1, 3, 4, 5, 7].map(texts)).toEqual([['B2', 'a1', 'b10'], ['a1', 'B2', 'b10'], ['b10', 'B2', 'a1'], ['a1', 'b10', 'B2'], ['a1', 'B2', 'b10']]);
  });
});

test('custom options may have texts and escaped commas', () => {
  expect(staticOptions(variable({ type: 'custom', query: 'a, fast : 1, x\\,y' }))).toEqual([{ text: 'a', value: 'a' }, { text: 'fast', value: '1' }, { text: 'x,y', value: 'x,y' }]);
});

test('interval options, with auto', () => {
  expect(intervalOptions(variable({ type: 'interval', query: '1m,"5m"', auto: true })).map((o) => o.text)).toEqual(['auto', '1m', '5m']);
  expect(scopeEntry(variable({ type: 'interval', auto: true, auto_count: 30 }), [], ['$__auto_interval_v'], RANGE).value).toBe('2m');
});

describe('selection', () => {
  const options = ['a', 'b'].map((v) => ({ text: v, value: v }));
  test('the address wins', () => expect(initialSelection(variable({ multi: true }), options, ['b'])).toEqual(['b']));
  test('All in the address', () => expect(initialSelection(variable({ includeAll: true }), options, ['All'])).toEqual([ALL]));
  test('the saved one, if it still exists', () => {
    expect(initialSelection(variable({ current: { value: 'b' } }), options, undefined)).toEqual(['b']);
    expect(initialSelection(variable({ current: { value: 'gone' } }), options, undefined)).toEqual(['a']);
  });
  test('All is all values, or its own text', () => {
    expect(scopeEntry(variable({ includeAll: true, multi: true }), options, [ALL], RANGE).value).toEqual(['a', 'b']);
    const custom = scopeEntry(variable({ includeAll: true, allValue: '.*' }), options, [ALL], RANGE);
    expect(interpolate('{x=~"$v"}', new Map([['v', custom]]), prometheusFormat)).toBe('{x=~".*"}');
  });
});

test('dependencies are seen in queries and datasources', () => {
  expect(dependsOn(variable({ query: 'label_values(up{a="${job}"}, b)' }), new Set(['job']))).toBe(true);
  expect(dependsOn(variable({ query: 'label_values(jobs)' }), new Set(['job']))).toBe(false);
  expect(dependsOn(variable({ datasource: { uid: '$ds' } }), new Set(['ds']))).toBe(true);
});

test('built-in names', () => {
  const scope = builtinScope({ range: RANGE, intervalMs: 15000, minIntervalMs: 15000, scrapeMs: 15000 });
  expect(interpolate('[$__rate_interval] [$__interval] $__interval_ms $__range $__range_s', scope)).toBe('[1m] [15s] 15000 3600s 3600');
});

test('a switch is on or off, off by default', () => {
  const v = variable({ type: 'switch', options: [{ text: 'Yes', value: '1' }] });
  const options = staticOptions(v);
  expect(options.map((o) => o.value)).toEqual(['1', 'false']);
  expect([initialSelection(v, options, undefined), initialSelection(v, options, ['1'])]).toEqual([['false'], ['1']]);
});
