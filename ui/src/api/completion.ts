/** Names for editors: metrics, labels, values. Answers are kept a minute; what fails is empty, for completion must not disturb. */
import { proxied } from './datasources';

const KEPT_MS = 60_000;
const kept = new Map<string, { at: number; answer: Promise<any> }>();

function ask<T>(uid: string, path: string, query: Record<string, string | undefined>, empty: T): Promise<T> {
  const key = JSON.stringify([uid, path, query]);
  const known = kept.get(key);
  if (known && Date.now() - known.at < KEPT_MS) return known.answer;
  const answer = proxied<T>(uid, path, query).catch(() => (kept.delete(key), empty));
  kept.set(key, { at: Date.now(), answer });
  return answer;
}

/** A selector for what is already written. */
function selector(metric?: string, matchers?: readonly { name: string; type: number; value: string }[], skip?: string): string | undefined {
  const parts = (matchers ?? []).filter((m) => m.name !== skip && m.value !== '').map((m) => `${m.name}${['=', '!=', '=~', '!~'][0]}"${m.value}"`);
  if (!metric && !parts.length) return undefined;
  return `${metric ?? ''}{${parts.join(',')}}`;
}

/** The client that Prometheus' editor language asks. */
export function prometheusNames(uid: string) {
  return {
    labelNames: (metric?: string) => ask<string[]>(uid, '/api/v1/labels', { 'match[]': selector(metric) }, []),
    labelValues: (label: string, metric?: string) => ask<string[]>(uid, `/api/v1/label/${encodeURIComponent(label)}/values`, { 'match[]': selector(metric) }, []),
    metricMetadata: () => ask<Record<string, { type: string; help: string }[]>>(uid, '/api/v1/metadata', {}, {}),
    series: (metric: string) => ask<any[]>(uid, '/api/v1/series', { 'match[]': selector(metric) }, []),
    metricNames: () => ask<string[]>(uid, '/api/v1/label/__name__/values', {}, []),
    flags: () => Promise.resolve({}),
    destroy: () => {},
  };
}

export function lokiNames(uid: string) {
  return {
    labelNames: () => ask<string[]>(uid, '/loki/api/v1/labels', {}, []),
    labelValues: (label: string, stream?: string) => ask<string[]>(uid, `/loki/api/v1/label/${encodeURIComponent(label)}/values`, { query: stream }, []),
  };
}
