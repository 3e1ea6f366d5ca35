import { expect, test } from 'vitest';
import { alertGroups } from './alertGroups';
import type { ListedAlert } from './alertList';

const alert = (name: string, state: ListedAlert['state'], labels: Record<string, string> = {}, activeAt?: number): ListedAlert => ({ name, state, labels, activeAt });
const all = [alert('CPU', 'pending', { host: 'a', team: 'x' }, 20), alert('CPU', 'firing', { host: 'b', team: 'y' }, 30), alert('Disk', 'firing', { host: 'a', team: 'x' }, 10), alert('Up', 'inactive')];

test('the alerts of a rule are one group, with the worst state and the first begin', () => {
  expect(alertGroups(all, {}).map((g) => [g.name, g.state, g.activeAt, g.alerts.length])).toEqual([['CPU', 'firing', 20, 2], ['Disk', 'firing', 10, 1], ['Up', 'inactive', undefined, 0]]);
  expect(alertGroups(all, { groupMode: 'default', groupBy: ['team'] })).toHaveLength(3);
  expect(alertGroups(all, { groupMode: 'custom', groupBy: [] })).toHaveLength(3);
});

test('by labels: rules that found nothing are in no group, alerts without a label stand last', () => {
  const groups = alertGroups([alert('Odd', 'firing', { host: 'a' }), ...all], { groupMode: 'custom', groupBy: ['team', 'host'] });
  expect(groups.map((g) => [g.labels, g.alerts.map((a) => a.name)])).toEqual([[[['team', 'x'], ['host', 'a']], ['CPU', 'Disk']], [[['team', 'y'], ['host', 'b']], ['CPU']], [[], ['Odd']]]);
});
