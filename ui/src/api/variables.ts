/** Ask a datasource what a variable wants to know. Answers are texts, in the server's order. */
import { metricToText } from '../core/metricText';
import type { TimeRange } from '../core/time';
import type { VariableRequest } from '../core/variables';
import { proxied } from './datasources';

interface Asked {
  uid: string;
  type: string;
}

export async function askVariable(datasource: Asked, request: VariableRequest, range: TimeRange, signal?: AbortSignal): Promise<string[]> {
  return datasource.type === 'loki' ? askLoki(datasource.uid, request, range, signal) : askPrometheus(datasource.uid, request, range, signal);
}

async function askPrometheus(uid: string, request: VariableRequest, range: TimeRange, signal?: AbortSignal): Promise<string[]> {
  const span = { start: Math.floor(range.from / 1000), end: Math.ceil(range.to / 1000) };
  const match = (m?: string) => (m ? { 'match[]': m } : {});
  switch (request.kind) {
    case 'labelValues':
      return proxied<string[]>(uid, `/api/v1/label/${encodeURIComponent(request.label)}/values`, { ...span, ...match(request.match) }, signal);
    case 'labelNames':
      return proxied<string[]>(uid, '/api/v1/labels', { ...span, ...match(request.match) }, signal);
    case 'metrics': {
      const names = await proxied<string[]>(uid, '/api/v1/label/__name__/values', span, signal);
      const regex = safeRegex(request.pattern);
      return regex ? names.filter((n) => regex.test(n)) : names;
    }
    case 'series': {
      const series = await proxied<Record<string, string>[]>(uid, '/api/v1/series', { ...span, 'match[]': request.match }, signal);
      return series.map(metricToText);
    }
    case 'queryResult': {
      const answer = await proxied<{ resultType: string; result: any }>(uid, '/api/v1/query', { query: request.expr, time: span.end }, signal);
      if (answer.resultType === 'scalar' || answer.resultType === 'string') return [String(answer.result[1])];
      return answer.result.map((r: any) => `${metricToText(r.metric)} ${r.value?.[1]} ${Math.round((r.value?.[0] ?? 0) * 1000)}`);
    }
  }
}

async function askLoki(uid: string, request: VariableRequest, range: TimeRange, signal?: AbortSignal): Promise<string[]> {
  const span = { start: `${Math.floor(range.from)}000000`, end: `${Math.ceil(range.to)}000000` };
  if (request.kind === 'labelNames') return proxied<string[]>(uid, '/loki/api/v1/labels', span, signal);
  if (request.kind === 'labelValues') return proxied<string[]>(uid, `/loki/api/v1/label/${encodeURIComponent(request.label)}/values`, { ...span, query: request.match }, signal);
  throw new Error('Loki variables are label_names() or label_values()');
}

function safeRegex(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
