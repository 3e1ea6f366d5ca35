/** Which alerts a list shows, in which order. */

export interface ListedAlert {
  name: string;
  state: 'firing' | 'pending' | 'inactive';
  labels: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  /** Of the rule's file. */
  folder?: string;
  /** Epoch ms. */
  activeAt?: number;
}

export interface AlertListOptions {
  maxItems?: number;
  /** Part of the name. */
  alertName?: string;
  /** `{severity="page", team=~"a|b"}` */
  alertInstanceLabelFilter?: string;
  stateFilter?: Record<string, boolean>;
  /** Only rules of this folder; a file counts as the folder of its name. */
  folder?: { title?: string } | null;
  /** Only what an annotation binds to the dashboard. */
  dashboardAlerts?: boolean;
  /** Rules that found nothing, too. */
  showInactiveAlerts?: boolean;
  /** 1 and 2: by name, up and down; 3: worst first; 4 and 5: by time, oldest and newest first. */
  sortOrder?: number;
}

const RANK = { firing: 0, pending: 1, inactive: 2 };

/** All that pass; `dashboardUid`: of the dashboard that shows them; `maxItems` is for who shows them. Raises nothing: a filter that cannot be read lets all pass. */
export function listedAlerts<A extends ListedAlert>(all: readonly A[], options: AlertListOptions, dashboardUid = ''): A[] {
  const wanted = wantedStates(options.stateFilter ?? {});
  if (options.showInactiveAlerts) wanted.add('inactive');
  const matchers = parseMatchers(options.alertInstanceLabelFilter ?? '');
  const name = options.alertName?.toLowerCase() ?? '';
  const here = (a: A) => (!options.dashboardAlerts || a.annotations?.__dashboardUid__ === dashboardUid) && (!options.folder?.title || (a.folder ?? '').split(/[/.]/).includes(options.folder.title));
  const found = all.filter((a) => wanted.has(a.state) && here(a) && a.name.toLowerCase().includes(name) && matchers.every((m) => m(a.labels)));
  return found.sort(orders[options.sortOrder ?? 1] ?? orders[1]);
}

function wantedStates(filter: Record<string, boolean>): Set<string> {
  const states = [filter.firing !== false && 'firing', filter.pending !== false && 'pending', (filter.normal === true || filter.inactive === true) && 'inactive'];
  return new Set(states.filter(Boolean) as string[]);
}

const byName = (a: ListedAlert, b: ListedAlert) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const orders: Record<number, (a: ListedAlert, b: ListedAlert) => number> = {
  1: byName,
  2: (a, b) => byName(b, a),
  3: (a, b) => RANK[a.state] - RANK[b.state] || byName(a, b),
  4: (a, b) => (a.activeAt ?? Infinity) - (b.activeAt ?? Infinity) || byName(a, b),
  5: (a, b) => (b.activeAt ?? -Infinity) - (a.activeAt ?? -Infinity) || byName(a, b),
};

type Matcher = (labels: Readonly<Record<string, string>>) => boolean;

function parseMatchers(text: string): Matcher[] {
  return [...text.matchAll(/([A-Za-z_][\w.-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^,}\s]+))/g)].flatMap(([, name, op, quoted, plain]): Matcher[] => {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (op === '=' || op === '!=') return [(labels) => ((labels[name] ?? '') === value) === (op === '=')];
    try {
      const regex = new RegExp(`^(?:${value})$`);
      return [(labels) => regex.test(labels[name] ?? '') === (op === '=~')];
    } catch {
      return [];
    }
  });
}
