import { expect, test } from 'vitest';
import { dashboardLinkUrl } from './dashboardLinks';
import { cellLinks, fillUrl } from './dataLinks';
import { makeFrame } from './frames';
import type { Scope } from './interpolate';

const scope: Scope = new Map([
  ['__from', { value: '1000' }],
  ['__to', { value: '2000' }],
  ['env', { value: ['a b', 'c'], text: 'All' }],
]);

const link = (url: string, title = '') => {
  const frame = makeFrame([
    { name: 'Time', type: 'time', values: [1500] },
    { name: 'Value', values: [7], labels: { job: 'x&y' }, config: { displayNameFromDS: 'seven', links: [{ title, url }] } },
  ]);
  return cellLinks(frame.fields[1], frame, 0, '7 s', scope)[0];
};

test.each([
  ['/a?v=${__value.raw}&t=${__value.time}', '/a?v=7&t=1500'],
  ['/a?v=${__value.text}', '/a?v=7%20s'],
  ['/a?s=${__series.name}&j=${__field.labels.job}', '/a?s=seven&j=x%26y'],
  ['/a?d=${__data.fields.Time}', '/a?d=1500'],
  ['/a?${__url_time_range}', '/a?from=1000&to=2000'],
  ['/a?$__all_variables', '/a?var-env=a%20b&var-env=c'],
])('%s', (url, expected) => expect(link(url).url).toBe(expected));

test.each(['javascript:alert(1)', 'JAVA\tSCRIPT:alert(1)', 'data:text/html,x', 'vbscript:x'])('%s is not followed', (url) => {
  expect(link(url)).toBeUndefined();
  expect(dashboardLinkUrl(url, { keepTime: true, includeVars: false }, { scope, raw: { from: 'now-1h', to: 'now' }, selected: [] })).toBeUndefined();
});

test('a title is text', () => expect(link('/a', 'About ${__series.name}').title).toBe('About seven'));

test('panel links know the range and the variables', () => expect(fillUrl('/d/x?${__url_time_range}&${__all_variables}', scope)).toBe('/d/x?from=1000&to=2000&var-env=a%20b&var-env=c'));

test('dashboard links keep range and variables before the fragment', () => {
  const context = { scope, raw: { from: 'now-1h', to: 'now' }, selected: [['env', ['All']]] as const };
  expect(dashboardLinkUrl('/d/x?a=1#b', { keepTime: true, includeVars: true }, context)).toBe('/d/x?a=1&from=now-1h&to=now&var-env=All#b');
  expect(dashboardLinkUrl('/d/x', { keepTime: false, includeVars: false }, context)).toBe('/d/x');
});
