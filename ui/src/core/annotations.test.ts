import { describe, expect, test } from 'vitest';
import { annotationEvents, annotationQuery, annotationSources, eventsFor } from './annotations';
import { makeFrame } from './frames';

const source = (raw: object) => annotationSources([{ name: 'Deploys', datasource: { type: 'prometheus', uid: 'p' }, iconColor: 'red', ...raw }])[0];
const series = (times: number[], values: (number | null)[], labels: Record<string, string> = {}) => [makeFrame([{ name: 'Time', type: 'time', values: times }, { name: 'Value', type: 'number', values, labels }])];

test('sources: defaults, both places of the query, stored ones', () => {
  expect(annotationSources([null, 3])).toEqual([]);
  expect(source({ expr: 'a' })).toMatchObject({ enable: true, hide: false, stored: false, expr: 'a', color: 'red' });
  expect(source({ target: { expr: 'b', step: '5m' }, enable: false })).toMatchObject({ enable: false, expr: 'b', step: '5m' });
  expect(source({ builtIn: 1 })).toMatchObject({ stored: true, tags: undefined });
  expect(source({ datasource: { uid: '-- Grafana --' }, target: { type: 'tags', tags: ['x'], matchAny: true } })).toMatchObject({ stored: true, tags: ['x'], matchAny: true });
});

test('the query: variables, filters, step', () => {
  const query = annotationQuery(source({ expr: 'changes(up{job="$job"}[5m])', step: '2m' }), 'X', { uid: 'p', type: 'prometheus' }, { from: 0, to: 36e5 }, new Map([['job', { value: 'b' }]]), [{ key: 'a', operator: '=', values: ['x'] }]);
  expect(query).toMatchObject({ refId: 'X', expr: 'changes(up{a="x", job="b"}[5m])', intervalMs: 120000, range: true });
});

describe('events of a series', () => {
  test('neighbours are one region, zeros and gaps end it', () => {
    const events = annotationEvents(source({ titleFormat: '{{job}} changed', textFormat: 'on {{instance}}', tagKeys: 'job, none' }), series([0, 60, 120, 180, 300], [1, 1, 0, 2, 1], { job: 'api', instance: 'i' }), 60);
    expect(events.map((e) => [e.time, e.timeEnd])).toEqual([[0, 60], [180, undefined], [300, undefined]]);
    expect(events[0]).toMatchObject({ title: 'api changed', text: 'on i', tags: ['api'], color: 'red' });
  });
  test('values as times', () => expect(annotationEvents(source({ useValueForTime: true }), series([0, 60], [5000, 5000]), 60).map((e) => e.time)).toEqual([5000]));
  test('without formats: name of the alert, or of the source', () => {
    expect(annotationEvents(source({}), series([0], [1], { alertname: 'Down', instance: 'i' }), 60)[0]).toMatchObject({ title: 'Down', text: 'i', tags: ['Down'] });
    expect(annotationEvents(source({}), series([0], [1]), 60)[0].title).toBe('Deploys');
  });
});

test('a log line is an event', () => {
  const frame = makeFrame([{ name: 'labels', type: 'other', values: [{ app: 'x' }] }, { name: 'Time', type: 'time', values: [7] }, { name: 'Line', type: 'string', values: ['deployed'] }]);
  expect(annotationEvents(source({ titleFormat: '{{app}}', tagKeys: 'app' }), [frame], 60)).toMatchObject([{ time: 7, title: 'x', text: 'deployed', tags: ['x'] }]);
});

test('panels may be chosen or left out', () => {
  const event = { time: 0, title: '', text: '', tags: [], color: '' };
  const of = (panel: number) => eventsFor(panel, [{ ...event, panelId: 1 }, { ...event, filter: { exclude: true, ids: [1] } }, { ...event, filter: { exclude: false, ids: [2] } }]).length;
  expect([of(1), of(2), of(3)]).toEqual([1, 2, 1]);
});
