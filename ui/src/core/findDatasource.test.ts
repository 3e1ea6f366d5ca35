import { expect, test } from 'vitest';
import { findDatasource, missingDatasource } from './findDatasource';

const all = [{ uid: 'p1', name: 'Prometheus', type: 'prometheus', isDefault: true }, { uid: 'l1', name: 'Loki', type: 'loki' }];

test('by uid, by name, by name in any case; without a uid the default of the type', () => {
  expect(['p1', 'Loki', 'prometheus', 'nobody'].map((uid) => findDatasource(all, { uid })?.uid)).toEqual(['p1', 'l1', 'p1', undefined]);
  expect(findDatasource(all, { type: 'loki' })?.uid).toBe('l1');
  expect(findDatasource(all, undefined)?.uid).toBe('p1');
});

test('what is missing is named, with what there is of its type', () => {
  expect(missingDatasource(all, { uid: 'e458', type: 'prometheus' })).toBe('There is no datasource "e458"; of type prometheus there is "Prometheus" (uid p1)');
  expect(missingDatasource(all, { uid: 'e458', type: 'mysql' })).toBe('There is no datasource "e458"');
  expect(missingDatasource([], { type: 'loki' })).toBe('There is no datasource of type loki');
});
