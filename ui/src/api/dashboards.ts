import { requestJson } from './client';

export interface SearchHit {
  uid: string;
  title: string;
  /** `/d/uid/slug` */
  url: string;
  type: 'dash-db' | 'dash-folder';
  folderTitle?: string;
  folderUid?: string;
  tags?: string[];
}

export interface DashboardAnswer {
  dashboard: unknown;
  meta: { folderTitle?: string; folderUid?: string; provisioned?: boolean; slug?: string; url?: string };
}

export function searchDashboards(options: { query?: string; type?: SearchHit['type']; tags?: string[]; starred?: boolean; folderUid?: string } = {}): Promise<SearchHit[]> {
  const params = new URLSearchParams();
  if (options.query) params.set('query', options.query);
  if (options.type) params.set('type', options.type);
  if (options.starred) params.set('starred', 'true');
  if (options.folderUid) params.set('folderUIDs', options.folderUid);
  for (const tag of options.tags ?? []) params.append('tag', tag);
  return requestJson(`/api/search?${params}`);
}

export const dashboardByUid = (uid: string) => requestJson<DashboardAnswer>(`/api/dashboards/uid/${encodeURIComponent(uid)}`);
