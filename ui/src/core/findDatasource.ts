import type { DatasourceRef } from './dashboard';

interface Known {
  uid: string;
  name: string;
  type: string;
  isDefault?: boolean;
}

/**
 * The datasource that a dashboard means: by uid, by name, and by name in any case (dashboards on the web say `prometheus` where
 * provisioning says `Prometheus`). Without a uid, the default of the type, or the default. Undefined where a named one is missing.
 */
export function findDatasource<T extends Known>(all: readonly T[], ref: DatasourceRef | undefined): T | undefined {
  const { uid, type } = ref ?? {};
  if (uid && uid !== 'default') {
    const lower = uid.toLowerCase();
    return all.find((d) => d.uid === uid) ?? all.find((d) => d.name === uid) ?? all.find((d) => d.name.toLowerCase() === lower && (!type || d.type === type));
  }
  const ofType = type ? all.filter((d) => d.type === type) : [];
  return ofType.find((d) => d.isDefault) ?? ofType[0] ?? all.find((d) => d.isDefault) ?? all[0];
}

/** Why there is none, and what there is instead: dashboards from elsewhere name the datasources of where they were made. */
export function missingDatasource(all: readonly Known[], ref: DatasourceRef | undefined): string {
  const { uid, type } = ref ?? {};
  const others = type ? all.filter((d) => d.type === type) : [];
  const instead = others.map((d) => `"${d.name}" (uid ${d.uid})`).join(', ');
  return `There is no datasource ${uid ? `"${uid}"` : `of type ${type ?? 'any'}`}${instead ? `; of type ${type} there is ${instead}` : ''}`;
}
