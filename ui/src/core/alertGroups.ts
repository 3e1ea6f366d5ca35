/** Alerts of a list, put together: those of one rule, or those whose labels have the same values. */
import type { ListedAlert } from './alertList';

export interface AlertGroup<A extends ListedAlert> {
  key: string;
  /** Of the rule, where rules make the groups. */
  name?: string;
  /** What its alerts share, where labels make the groups; empty: those that lack one of them. */
  labels?: [name: string, value: string][];
  /** Worst of its alerts. */
  state: ListedAlert['state'];
  /** When the first of its alerts began, epoch ms. */
  activeAt?: number;
  /** In the order of the list; a rule that has found nothing has none. */
  alerts: A[];
}

export interface GroupOptions {
  groupMode?: string;
  groupBy?: unknown;
}

const RANK = { firing: 0, pending: 1, inactive: 2 };

/** Groups in the order of their first alert; alerts without the labels come last. */
export function alertGroups<A extends ListedAlert>(listed: readonly A[], options: GroupOptions): AlertGroup<A>[] {
  const by = options.groupMode === 'custom' && Array.isArray(options.groupBy) ? options.groupBy.map(String) : [];
  if (!by.length) return [...Map.groupBy(listed, (a) => a.name)].map(([name, alerts]) => ({ ...made(name, alerts), name }));
  const keyOf = (a: A) => (by.every((n) => a.labels[n]) ? JSON.stringify(by.map((n) => a.labels[n])) : '');
  const groups = [...Map.groupBy(listed.filter((a) => a.state !== 'inactive'), keyOf)].map(([key, alerts]) => ({ ...made(key, alerts), labels: key ? by.map((n): [string, string] => [n, alerts[0].labels[n]]) : [] }));
  return [...groups.filter((g) => g.key), ...groups.filter((g) => !g.key)];
}

function made<A extends ListedAlert>(key: string, alerts: A[]): AlertGroup<A> {
  const state = alerts.reduce((worst, a) => (RANK[a.state] < RANK[worst] ? a.state : worst), alerts[0].state);
  const began = alerts.flatMap((a) => (a.activeAt === undefined ? [] : [a.activeAt]));
  return { key, state, activeAt: began.length ? Math.min(...began) : undefined, alerts: alerts.filter((a) => a.state !== 'inactive') };
}
