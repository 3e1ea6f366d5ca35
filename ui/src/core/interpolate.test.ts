import { expect, test } from 'vitest';
import { builtinScope } from './variables';
import { interpolate, prometheusFormat, type Scope } from './interpolate';

const scope: Scope = new Map([
  ['one', { value: 'a.b' }],
  ['many', { value: ['x', 'y|z'], text: ['X', 'Y'] }],
  ['all', { value: '.*', text: 'All', verbatim: true }],
  ['__interval', { value: '30s', verbatim: true }],
  ['__from', { value: '1763907320000' }],
]);

test.each([
  ['$one', 'a.b'],
  ['${one}', 'a.b'],
  ['[[one]]', 'a.b'],
  ['${one:regex}', 'a\\.b'],
  ['$many', '{x,y|z}'],
  ['${many:csv}', 'x,y|z'],
  ['${many:pipe}', 'x|y|z'],
  ['${many:regex}', '(x|y\\|z)'],
  ['${many:json}', '["x","y|z"]'],
  ['${many:text}', 'X + Y'],
  ['${many:queryparam}', 'var-many=x&var-many=y%7Cz'],
  ['${many:singlequote}', "'x','y|z'"],
  ['${many:percentencode}', '%7Bx%2Cy%7Cz%7D'],
  ['${many:join:;}', 'x;y|z'],
  ['$all ${all:regex}', '.* .*'],
  ['rate(x[$__interval])', 'rate(x[30s])'],
  ['${__from:date:YYYY-MM}', '2025-11'],
  ['$unknown ${unknown:csv} $5', '$unknown ${unknown:csv} $5'],
  ['plain', 'plain'],
])('%s', (text, expected) => expect(interpolate(text, scope)).toBe(expected));

test('in PromQL, several values are an alternative, and one is escaped for its quotes', () => {
  expect(interpolate('{a=~"$many"}', scope, prometheusFormat)).toBe('{a=~"(x|y\\\\|z)"}');
  expect(prometheusFormat('say "hi"', false)).toBe('say \\"hi\\"');
});

test('what belongs to a built-in name: the dashboard, the person, the organisation', () => {
  const scope = builtinScope({ range: { from: 0, to: 1000 }, intervalMs: 1000, minIntervalMs: 1000, dashboard: 'Hosts', dashboardUid: 'abc', user: 'ada' });
  expect(interpolate('$__dashboard ${__dashboard.uid} ${__dashboard.name} ${__user.login} ${__org.id} ${__dashboard.nothing}', scope)).toBe('Hosts abc Hosts ada 1 ${__dashboard.nothing}');
});
