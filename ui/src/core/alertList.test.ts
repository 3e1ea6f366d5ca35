import { expect, test } from 'vitest';
import { listedAlerts, type ListedAlert } from './alertList';

const alert = (name: string, state: ListedAlert['state'], labels: Record<string, string> = {}, activeAt?: number): ListedAlert => ({ name, state, labels, activeAt });
const all = [alert('Disk', 'pending', { severity: 'warn', team: 'a' }, 20), alert('CPU', 'firing', { severity: 'page', team: 'b' }, 30), alert('Up', 'inactive'), alert('Api', 'firing', { severity: 'page' }, 10)];
const names = (options: object) => listedAlerts(all, options).map((a) => a.name).join(' ');

test('firing and pending ones by name, others on request', () => {
  expect(names({})).toBe('Api CPU Disk');
  expect(names({ stateFilter: { pending: false, normal: true } })).toBe('Api CPU Up');
});

test.each([[2, 'Disk CPU Api'], [3, 'Api CPU Disk'], [4, 'Api Disk CPU'], [5, 'CPU Disk Api'], [99, 'Api CPU Disk']])('order %d', (sortOrder, expected) => {
  expect(names({ sortOrder })).toBe(expected);
});

test('by part of the name, and by labels with every operator', () => {
  expect(names({ alertName: 'i' })).toBe('Api Disk');
  expect(names({ alertInstanceLabelFilter: '{severity="page", team!=b}' })).toBe('Api');
  expect(names({ alertInstanceLabelFilter: 'severity=~"wa.*|x"' })).toBe('Disk');
  expect(names({ alertInstanceLabelFilter: 'severity!~"wa"' })).toBe('Api CPU Disk');
  expect(names({ alertInstanceLabelFilter: 'severity=~"("' })).toBe('Api CPU Disk');
});

test('rules that found nothing on request; those of a folder; those that belong to the dashboard', () => {
  expect(names({ showInactiveAlerts: true })).toBe('Api CPU Disk Up');
  const placed = [{ ...all[0], folder: '/etc/rules/hosts.yml', annotations: { __dashboardUid__: 'd1' } }, { ...all[1], folder: 'api.yml' }];
  expect(listedAlerts(placed, { folder: { title: 'hosts' } }).map((a) => a.name)).toEqual(['Disk']);
  expect(listedAlerts(placed, { dashboardAlerts: true }, 'd1').map((a) => a.name)).toEqual(['Disk']);
});
