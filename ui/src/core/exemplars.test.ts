import { expect, test } from 'vitest';
import { exemplarLabels, exemplarLinks, exemplarsOf } from './exemplars';
import { makeFrame } from './frames';

const frame = makeFrame(
  [
    { name: 'Time', type: 'time', values: [1000, 2000, 3000] },
    { name: 'Value', values: [0.5, 0.7, null] },
    { name: 'le', values: ['1', '', '1'] },
    { name: 'trace_id', values: ['a b', 'c', 'd'] },
  ],
  { refId: 'B', meta: { custom: { resultType: 'exemplar' } } },
);
const series = makeFrame([{ name: 'Time', type: 'time', values: [1000] }, { name: 'Value', values: [1] }], { refId: 'A' });

test('rows of exemplar frames become exemplars; empty labels and absent values are left out', () => {
  const found = exemplarsOf([series, frame], () => []);
  expect(found.map((e) => [e.time, e.value, e.labels, e.refId])).toEqual([
    [1000, 0.5, { le: '1', trace_id: 'a b' }, 'B'],
    [2000, 0.7, { trace_id: 'c' }, 'B'],
  ]);
});

test('a label leads to a tracing datasource or to an address, with its value encoded', () => {
  const internal = exemplarsOf([frame], (refId) => (refId === 'B' ? [{ name: 'trace_id', datasourceUid: 'tempo' }] : []))[0].links;
  expect(internal).toEqual([{ title: 'Open the trace of trace_id', url: '/explore?datasource=tempo&expr=a%20b', blank: false }]);
  const outside = exemplarLinks({ trace_id: 'a b' }, [{ name: 'trace_id', url: 'https://traces.example/${__value.raw}', urlDisplayLabel: 'Trace' }, { name: 'absent', url: 'https://x' }]);
  expect(outside).toEqual([{ title: 'Trace', url: 'https://traces.example/a%20b', blank: true }]);
});

test('addresses that would run scripts lead nowhere', () => {
  expect(exemplarLinks({ trace_id: 'x' }, [{ name: 'trace_id', url: 'javascript:alert(${__value.raw})' }])).toEqual([]);
});

test('labels that name a trace come first, the bucket last', () => {
  const exemplar = { time: 0, value: 0, links: [], labels: { le: '1', job: 'x', __name__: 'm', traceID: 't' } };
  expect(exemplarLabels(exemplar).map(([name]) => name)).toEqual(['traceID', 'job', '__name__', 'le']);
});
