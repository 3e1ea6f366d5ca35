// Made-up answers for any expression: the same query, series and time give the same value, so that screenshots can be compared.
const VALUES = {
  endpoint: ['/api/v1/contacts', '/api/v1/accounts', '/api/v1/deals', '/api/v1/activities/:id', '/api/v1/health'],
  method: ['GET', 'POST', 'PUT'],
  status: ['200', '201', '404', '500'],
  instance: ['backend:3000', 'backend-2:3000', 'db-1:9100'],
  job: ['backend', 'prometheus', 'node'],
  tenant: ['acme', 'globex', 'initech', 'umbrella'],
  level: ['info', 'warn', 'error', 'debug'],
};

export const labelValues = (name) => VALUES[name] ?? [];

function hash(text) {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return (h >>> 0) / 4294967296;
}

const wave = (seed, t) => 1 + 0.45 * Math.sin(t / 900000 + seed * 20) + 0.22 * Math.sin(t / 210000 + seed * 71) + 0.12 * (hash(`${seed}${Math.round(t / 15000)}`) - 0.5);

/** Label sets by what the expression groups on. */
function seriesOf(expr) {
  if (expr.startsWith('ten_series')) return Array.from({ length: 10 }, (_, n) => ({ n: `series-${n}` }));
  const by = /\bby\s*\(([^)]*)\)/.exec(expr);
  if (by && !by[1].split(',').some((n) => n.trim() !== 'le' && VALUES[n.trim()])) return [{}];
  const names = by ? by[1].split(',').map((s) => s.trim()).filter((n) => n && n !== 'le') : /^\s*(sum|avg|max|min|count)\s*\(/.test(expr) ? [] : ['method', 'endpoint'];
  if (!names.length) return [{}];
  let sets = [{}];
  for (const name of names) sets = sets.flatMap((s) => (VALUES[name] ?? ['a', 'b']).slice(0, names.length > 1 ? 3 : 5).map((v) => ({ ...s, [name]: v })));
  return sets;
}

function scale(expr) {
  if (/percent|\* 100|100 \*/.test(expr)) return 42;
  if (/bytes/.test(expr)) return 3.2e8;
  if (/quantile|duration|latency/.test(expr)) return 0.18;
  if (/cpu/.test(expr)) return 0.4;
  if (/errors/.test(expr)) return 0.3;
  return 14;
}

const legend = (format, labels, expr) => (format && format !== '__auto' ? format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, n) => labels[n] ?? '') : Object.keys(labels).length ? `{${Object.entries(labels).map(([k, v]) => `${k}="${v}"`).join(', ')}}` : expr);

function rangeFrames(q, from, to) {
  const step = Math.max(q.intervalMs ?? 15000, 1000);
  const times = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) times.push(t);
  const top = scale(q.expr);
  return seriesOf(q.expr).map((labels, i) => {
    const seed = hash(q.expr + JSON.stringify(labels));
    const values = times.map((t) => Math.max(0, top * (0.35 + seed) * wave(seed, t)));
    if (/^round\(/.test(q.expr)) values.forEach((v, k) => (values[k] = v > 0.32 ? 1 : 0));
    if (/huge_values/.test(q.expr)) values.forEach((_, k) => (values[k] = [1e308, -1e308, null, 5e-324, 0, 1e21][k % 6]));
    if (/deploys/.test(q.expr)) values.forEach((_, k) => (values[k] = k === Math.floor(values.length / 2) || k === Math.floor(values.length * 0.8) ? 1 : 0));
    if (/gap/.test(q.expr) && i === 0) for (let k = Math.floor(values.length * 0.4); k < values.length * 0.55; k++) values[k] = null;
    return frame(q, [{ name: 'Time', type: 'time', config: { interval: step } }, { name: 'Value', type: 'number', labels, config: { displayNameFromDS: legend(q.legendFormat, labels, q.expr) } }], [times, values], { type: 'timeseries-multi', custom: { resultType: 'matrix' }, executedQueryString: `Expr: ${q.expr}\nStep: ${step / 1000}s` });
  });
}

function heatFrames(q, from, to) {
  const step = Math.max(q.intervalMs ?? 15000, 1000);
  const times = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) times.push(t);
  const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '+Inf'];
  let totals = times.map(() => 0);
  return bounds.map((le, i) => {
    totals = totals.map((v, k) => v + Math.max(0, 30 * Math.exp(-((i - 4 - Math.sin(times[k] / 2e6)) ** 2) / 4) * wave(i / 10, times[k])));
    return frame(q, [{ name: 'Time', type: 'time', config: { interval: step } }, { name: 'Value', type: 'number', labels: { le }, config: { displayNameFromDS: le } }], [times, totals], { type: 'timeseries-multi' });
  });
}

function instantFrames(q, to) {
  const sets = seriesOf(q.expr);
  const names = [...new Set(sets.flatMap(Object.keys))];
  const top = scale(q.expr);
  const value = (labels) => top * (0.35 + hash(q.expr + JSON.stringify(labels)));
  if (q.format === 'table') return [frame(q, [{ name: 'Time', type: 'time' }, ...names.map((name) => ({ name, type: 'string' })), { name: 'Value', type: 'number' }], [sets.map(() => to), ...names.map((n) => sets.map((s) => s[n])), sets.map(value)], { preferredVisualisationType: 'table' })];
  return sets.map((labels) => frame(q, [{ name: 'Time', type: 'time' }, { name: 'Value', type: 'number', labels, config: { displayNameFromDS: legend(q.legendFormat, labels, q.expr) } }], [[to], [value(labels)]], { type: 'numeric-multi' }));
}

const MESSAGES = {
  error: ['ERROR: deal close failed: upstream timeout after 3000 ms', 'ERROR: could not send e-mail to contact 8812: SMTP 451', 'ERROR: unhandled exception in worker "activities"\n    at Worker.run (/app/worker.js:88:13)\n    at processTicksAndRejections (node:internal/process/task_queues:95:5)'],
  warn: ['slow query: contacts by account took 1240 ms', 'retrying webhook delivery, attempt 3'],
  info: ['request completed', 'tenant settings reloaded', 'job finished'],
  debug: ['cache miss for account:3391'],
};

function logFrames(q, from, to) {
  const onlyError = /"ERROR"|error/i.test(q.expr);
  const count = Math.min(q.maxLines ?? 1000, onlyError ? 140 : /"long"/.test(q.expr) ? 100000 : 600);
  const rows = Array.from({ length: count }, (_, i) => {
    const r = hash(`${q.expr}${i}`);
    const level = onlyError ? 'error' : r < 0.72 ? 'info' : r < 0.86 ? 'debug' : r < 0.95 ? 'warn' : 'error';
    const messages = MESSAGES[level];
    const ms = Math.round(to - ((to - from) * (i + r)) / (count + 1));
    const entry = { level, timestamp: new Date(ms).toISOString(), message: messages[Math.floor(r * 97) % messages.length], tenantId: VALUES.tenant[i % 4], method: VALUES.method[i % 3], path: VALUES.endpoint[i % 5], statusCode: level === 'error' ? 500 : 200, duration: Math.round(20 + r * 900), requestId: `req-${Math.floor(r * 1e9).toString(36)}` };
    return { ms, ns: `${ms}${String(Math.floor(r * 1e6)).padStart(6, '0')}`, line: JSON.stringify(entry), labels: { job: 'backend', level, filename: '/app/logs/combined.log' } };
  });
  if (q.direction === 'forward') rows.reverse();
  const fields = [{ name: 'labels', type: 'other' }, { name: 'Time', type: 'time' }, { name: 'Line', type: 'string' }, { name: 'tsNs', type: 'string' }, { name: 'id', type: 'string' }];
  return [frame(q, fields, [rows.map((r) => r.labels), rows.map((r) => r.ms), rows.map((r) => r.line), rows.map((r) => r.ns), rows.map((r, i) => `${r.ns}_${i}`)], { limit: q.maxLines ?? 1000, custom: { frameType: 'LabeledTimeValues' }, stats: [{ displayName: 'Summary: total bytes processed', value: 812345, unit: 'decbytes' }] })];
}

/** Forty observations of single requests. */
function exemplarFrame(q, from, to) {
  const rows = Array.from({ length: 40 }, (_, i) => ({ time: Math.round(from + ((to - from) * (i + 0.5)) / 40), value: scale(q.expr) * (0.3 + 1.6 * hash(`${q.expr}x${i}`) ** 2), trace: Math.floor(hash(`t${i}`) * 2 ** 52).toString(16).padStart(32, '7') }));
  const fields = [{ name: 'Time', type: 'time' }, { name: 'Value', type: 'number' }, { name: 'endpoint', type: 'string' }, { name: 'le', type: 'string' }, { name: 'trace_id', type: 'string' }];
  return frame(q, fields, [rows.map((r) => r.time), rows.map((r) => r.value), rows.map((_, i) => VALUES.endpoint[i % 5]), rows.map(() => '0.5'), rows.map((r) => r.trace)], { custom: { resultType: 'exemplar' } });
}

const frame = (q, fields, values, meta) => ({ schema: { refId: q.refId, meta, fields: fields.map((f) => ({ config: {}, ...f })) }, data: { values } });

export function answerQuery(q, from, to) {
  const expr = q.expr ?? '';
  if (/boom/.test(expr)) return { status: 400, error: 'invalid parameter "query": 1:6: parse error: unexpected identifier "boom"' };
  if (/nothing/.test(expr)) return { status: 200, frames: [] };
  const isLoki = q.datasource?.type === 'loki';
  if (isLoki && !/^\s*(sum|avg|max|min|count|topk|rate|count_over_time|quantile_over_time)\b/.test(expr)) return { status: 200, frames: logFrames(q, from, to) };
  if (q.format === 'heatmap' || /by\s*\(\s*le\s*\)/.test(expr)) return { status: 200, frames: heatFrames(q, from, to) };
  if (q.instant && !q.range) return { status: 200, frames: instantFrames(q, to) };
  return { status: 200, frames: [...rangeFrames(q, from, to), ...(q.exemplar ? [exemplarFrame(q, from, to)] : [])] };
}
