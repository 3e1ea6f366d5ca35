import { expect, test } from 'vitest';
import { derivedValues } from './derivedFields';
import { commonLabels, differingLabels, fieldsLine } from './logLabels';
import type { LogRow } from './logs';

const row = (line: string, labels: Record<string, string>): LogRow => ({ key: line, timeMs: 0, timeNs: '0', line, labels, level: 'info' });
const rows = [row('a', { job: 'x', pod: '1' }), row('b', { job: 'x', pod: '2' }), row('c', { job: 'x', zone: 'eu' })];

test('labels that all rows share, and those that tell them apart', () => {
  expect(commonLabels(rows)).toEqual({ job: 'x' });
  expect(differingLabels(rows)).toEqual(['pod', 'zone']);
  expect(commonLabels([])).toEqual({});
  expect(differingLabels(rows.slice(0, 1))).toEqual([]);
});

test('chosen fields stand in the line’s place, from labels, JSON and logfmt', () => {
  expect(fieldsLine(row('{"user":"ann","n":3}', { job: 'x' }), ['job', 'n', 'gone'])).toBe('job=x n=3');
  expect(fieldsLine(row('user=ann n=3', {}), ['user'])).toBe('user=ann');
  expect(fieldsLine(row('plain', {}), ['user'])).toBe('plain');
});

test('derived fields: from the line, from a label, to a datasource or an address', () => {
  const line = row('level=info traceID=ab/c done', { trace_id: 't1' });
  const values = derivedValues(line, [
    { name: 'Trace', matcherRegex: 'traceID=(\\S+)', url: '${__value.raw}', datasourceUid: 'tempo', urlDisplayLabel: 'Open the trace' },
    { name: 'Label', matcherRegex: '^trace_?id$', matcherType: 'label', url: 'https://t.example/${__value.raw}' },
    { name: 'Bare', matcherRegex: 'done' },
    { name: 'Bad', matcherRegex: 'level=(\\w+)', url: 'javascript:${__value.raw}' },
    { name: 'Absent', matcherRegex: 'nothing=(.*)' },
    { name: 'Broken', matcherRegex: '(' },
  ]);
  expect(values).toEqual([
    { name: 'Trace', value: 'ab/c', link: { title: 'Open the trace', url: '/explore?datasource=tempo&expr=ab%2Fc', blank: false } },
    { name: 'Label', value: 't1', link: { title: 'Open Label', url: 'https://t.example/t1', blank: true } },
    { name: 'Bare', value: 'done', link: undefined },
    { name: 'Bad', value: 'info', link: undefined },
  ]);
});
