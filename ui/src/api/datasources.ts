/** Datasources and what is asked of them through the proxy: labels, series, metadata, targets. */
import { ApiError, requestJson } from './client';

export interface Datasource {
  uid: string;
  name: string;
  type: string;
  isDefault?: boolean;
  url?: string;
  jsonData?: { timeInterval?: string; maxLines?: number | string; httpMethod?: string; [key: string]: unknown };
}

export const listDatasources = () => requestJson<Datasource[]>('/api/datasources');

type Query = Record<string, string | number | undefined | string[]>;

/** A Prometheus or Loki API call; unwraps `data` and turns its error form into an `ApiError`. */
export async function proxied<T>(uid: string, path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) for (const v of Array.isArray(value) ? value : [value]) if (v !== undefined && v !== '') params.append(key, String(v));
  const answer = await requestJson<{ status: string; data: T; error?: string; errorType?: string }>(`/api/datasources/proxy/uid/${encodeURIComponent(uid)}${path}?${params}`, { signal });
  if (answer.status === 'error') throw new ApiError(400, answer.error ?? 'error', answer.errorType);
  return answer.data;
}

export interface Target {
  discoveredLabels: Record<string, string>;
  labels: Record<string, string>;
  scrapePool: string;
  scrapeUrl: string;
  globalUrl?: string;
  lastError: string;
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: 'up' | 'down' | 'unknown';
  scrapeInterval?: string;
  scrapeTimeout?: string;
}

export interface Targets {
  activeTargets: Target[];
  droppedTargets?: { discoveredLabels: Record<string, string> }[];
}

export const scrapeTargets = (uid: string) => proxied<Targets>(uid, '/api/v1/targets');
