import { expect, test } from 'vitest';
import { fixedFrames, framesOf } from './fixedData';

const testData = { type: 'grafana-testdata-datasource', uid: 'x' };

test('a query of a datasource holds no data', () => {
  expect(fixedFrames({ refId: 'A', expr: 'up' }, { type: 'prometheus', uid: 'p' })).toBeUndefined();
});

test('snapshots hold frames in the wire form, not changed by being read', () => {
  const snapshot = [{ schema: { fields: [{ name: 'Time', type: 'time' }, { name: 'Value', type: 'number' }] }, data: { values: [[1], [null]], entities: [null, { NaN: [0] }] } }];
  const [frame] = fixedFrames({ refId: 'B', queryType: 'snapshot', snapshot }, { uid: '-- Grafana --' })!;
  expect([frame.refId, frame.length, frame.fields[1].values]).toEqual(['B', 1, [NaN]]);
  expect(snapshot[0].data.values[1]).toEqual([null]);
});

test('raw frames of TestData are in either form; what is no JSON is said', () => {
  const plain = JSON.stringify([{ fields: [{ name: 'id', type: 'string', values: ['a'] }] }]);
  expect(fixedFrames({ refId: 'A', scenarioId: 'raw_frames', rawFrameContent: plain }, testData)![0].fields[0]).toMatchObject({ name: 'id', type: 'string', values: ['a'] });
  expect(() => fixedFrames({ refId: 'A', scenarioId: 'raw_frames', rawFrameContent: '[' }, testData)).toThrow(/no JSON/);
  expect(() => fixedFrames({ refId: 'A', scenarioId: 'random_walk' }, testData)).toThrow(/random_walk/);
});

test('CSV has times, numbers, texts; quotes hold commas; empty cells are absent', () => {
  const [frame] = fixedFrames({ refId: 'A', scenarioId: 'csv_content', csvContent: 'time,name,n,last\n2024-01-01T00:00:00Z,"a, ""b""",1,\n2024-01-01T00:01:00Z,c,,4' }, testData)!;
  expect(frame.fields.map((f) => [f.name, f.type, f.values])).toEqual([
    ['time', 'time', [1704067200000, 1704067260000]],
    ['name', 'string', ['a, "b"', 'c']],
    ['n', 'number', [1, null]],
    ['last', 'number', [null, 4]],
  ]);
});

test('what is no list of frames is none', () => {
  expect(framesOf({})).toEqual([]);
  expect(framesOf([null, { fields: 3 }])).toMatchObject([{ fields: [], length: 0 }]);
});
