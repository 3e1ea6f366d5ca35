import type { AlertRow } from '../panels/services';
import { proxied } from './datasources';

interface RulesAnswer {
  groups: { file?: string; rules: { name: string; type: string; state?: AlertRow['state']; labels?: Record<string, string>; annotations?: Record<string, string>; alerts?: { labels: Record<string, string>; annotations?: Record<string, string>; state: AlertRow['state']; activeAt?: string }[] }[] }[];
}

/** Alerting rules of a Prometheus datasource with what they found; a rule without alerts is one inactive row. */
export async function alertRows(uid: string): Promise<AlertRow[]> {
  const { groups } = await proxied<RulesAnswer>(uid, '/api/v1/rules', { type: 'alert' });
  const rules = groups.flatMap((g) => g.rules.map((rule) => ({ ...rule, folder: g.file ?? '' }))).filter((r) => r.type === 'alerting');
  return rules.flatMap((rule): AlertRow[] => {
    if (!rule.alerts?.length) return [{ name: rule.name, state: 'inactive', labels: rule.labels ?? {}, annotations: rule.annotations ?? {}, folder: rule.folder }];
    return rule.alerts.map((a) => ({ name: rule.name, state: a.state, labels: a.labels, annotations: a.annotations ?? {}, folder: rule.folder, activeAt: a.activeAt ? Date.parse(a.activeAt) : undefined }));
  });
}
