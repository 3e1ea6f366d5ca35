// A small server with made-up data behind the same HTTP API as the real one: for `npm run dev`, screenshots and page tests.
// Usage: node dev/fixture-server.mjs [port] [folder]; port 0 picks a free one and prints it; dashboards of the folder, in today's schema, are served too. POST /__fixture {"down": true} lets it play dead, {"slowMs": 5000} lets queries wait.
import { createServer } from 'node:http';
import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerQuery, labelValues } from './fixture-data.mjs';
import { dashboards as own } from './fixture-dashboards.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '..', 'dist');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json', '.woff2': 'font/woff2' };
const DATASOURCES = [
  { id: 1, uid: 'prometheus', name: 'Prometheus', type: 'prometheus', isDefault: true, url: 'http://prometheus:9090', access: 'proxy', jsonData: { timeInterval: '15s', exemplarTraceIdDestinations: [{ name: 'trace_id', url: '/explore?trace=${__value.raw}', urlDisplayLabel: 'Open the trace' }] } },
  { id: 2, uid: 'loki', name: 'Loki', type: 'loki', isDefault: false, url: 'http://loki:3100', access: 'proxy', jsonData: { derivedFields: [{ name: 'Request', matcherRegex: '"requestId":"(.+?)"', url: 'https://example.com/${__value.raw}', urlDisplayLabel: 'Open the request' }] } },
  { id: 3, uid: 'tempo', name: 'Tempo', type: 'tempo', isDefault: false, url: 'http://tempo:3200', access: 'proxy', jsonData: {} },
];
const given = process.argv[3] ? readdirSync(process.argv[3]).filter((f) => f.endsWith('.json')).map((f) => ({ dashboard: { ...JSON.parse(readFileSync(join(process.argv[3], f), 'utf8')), uid: f.slice(0, -5) }, slug: 'x', folder: 'Given' })) : [];
const dashboards = [...own, ...given];
const control = { down: false, queries: 0, slowMs: 0 };

const json = (response, status, body, headers = {}) => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(JSON.stringify(body));
};

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length ? JSON.parse(Buffer.concat(parts).toString()) : {};
}

function hits(params) {
  const all = dashboards.map((d) => ({ uid: d.dashboard.uid, title: d.dashboard.title, url: `/d/${d.dashboard.uid}/${d.slug}`, uri: `db/${d.slug}`, type: 'dash-db', folderTitle: d.folder, folderUid: d.folder?.toLowerCase(), tags: d.dashboard.tags ?? [] }));
  const folders = [...new Set(dashboards.map((d) => d.folder).filter(Boolean))].map((title) => ({ uid: title.toLowerCase(), title, url: `/dashboards/f/${title.toLowerCase()}`, type: 'dash-folder', tags: [] }));
  const type = params.get('type');
  const query = (params.get('query') ?? '').toLowerCase();
  return [...(type === 'dash-db' ? [] : folders), ...(type === 'dash-folder' ? [] : all)].filter((h) => (params.get('starred') !== 'true' || h.uid === 'connected') && h.title.toLowerCase().includes(query) && params.getAll('tag').every((t) => h.tags.includes(t)));
}

function targets() {
  const target = (job, instance, health, lastError = '') => ({ discoveredLabels: { __address__: instance, job }, labels: { job, instance }, scrapePool: job, scrapeUrl: `http://${instance}/metrics`, globalUrl: `http://${instance}/metrics`, lastError, lastScrape: new Date(Date.now() - 4000).toISOString(), lastScrapeDuration: 0.0042, health, scrapeInterval: '15s', scrapeTimeout: '10s' });
  return { activeTargets: [target('backend', 'backend:3000', 'up'), target('prometheus', 'localhost:9090', 'up'), target('node', 'db-1:9100', 'down', 'Get "http://db-1:9100/metrics": dial tcp 10.0.0.7:9100: connect: connection refused')], droppedTargets: [] };
}

/** One rule that fires on three hosts of two teams, one that waits, one that found nothing. */
function rules() {
  const alert = (alertname, state, minutes, labels) => ({ state, activeAt: new Date(Date.now() - minutes * 6e4).toISOString(), labels: { alertname, ...labels }, annotations: {} });
  const rule = (name, state, alerts = []) => ({ type: 'alerting', name, state, labels: {}, annotations: {}, alerts });
  const high = [['backend:3000', 'api', 10], ['backend-2:3000', 'api', 42], ['db-1:9100', 'storage', 3]].map(([instance, team, minutes]) => alert('HighLatency', 'firing', minutes, { severity: 'page', instance, team }));
  return { groups: [{ name: 'g', file: '/etc/rules/api.yml', rules: [rule('HighLatency', 'firing', high), rule('DiskFull', 'pending', [alert('DiskFull', 'pending', 2, { severity: 'warn', team: 'storage' })]), rule('Down', 'inactive')] }] };
}

function proxy(path, params, response) {
  const ok = (data) => json(response, 200, { status: 'success', data });
  if (path.endsWith('/api/v1/rules')) return ok(rules());
  if (path.endsWith('/api/v1/targets')) return ok(targets());
  if (path.endsWith('/api/v1/metadata')) return ok({ http_requests_total: [{ type: 'counter', help: 'Requests served.', unit: '' }] });
  if (path.endsWith('/label/__name__/values')) return ok(['http_requests_total', 'http_request_duration_seconds_bucket', 'http_request_duration_seconds_count', 'http_request_duration_seconds_sum', 'http_request_errors_total', 'process_cpu_seconds_total', 'process_resident_memory_bytes', 'up']);
  const values = /\/label\/([^/]+)\/values$/.exec(path);
  if (values) return ok(labelValues(decodeURIComponent(values[1])));
  if (path.endsWith('/labels')) return ok(['__name__', 'endpoint', 'instance', 'job', 'level', 'method', 'status', 'tenant']);
  if (path.endsWith('/series')) return ok(labelValues('instance').map((instance) => ({ __name__: 'http_requests_total', job: 'backend', instance })));
  json(response, 404, { status: 'error', errorType: 'not_found', error: 'not in the fixture' });
}

async function api(request, response, url) {
  const { pathname: path, searchParams: params } = url;
  if (path === '/api/health') return json(response, 200, { database: 'ok', version: '0.1.0' });
  if (path === '/login' && request.method === 'POST') {
    const { user, password } = await body(request);
    if (user === 'admin' && password === 'admin') return json(response, 200, { message: 'Logged in' }, { 'set-cookie': 'grafana_session=fixture; Path=/; HttpOnly; SameSite=Lax' });
    return json(response, 401, { message: 'Invalid username or password' });
  }
  if (path === '/logout') {
    response.writeHead(302, { location: '/login', 'set-cookie': 'grafana_session=; Path=/; Max-Age=0' });
    return response.end();
  }
  if (path === '/api/frontend/settings') return json(response, 200, { buildInfo: { version: '0.1.0' }, demo: true, datasources: Object.fromEntries(DATASOURCES.map((d) => [d.name, d])) });
  if (!/grafana_session=fixture/.test(request.headers.cookie ?? '')) return json(response, 401, { message: 'Unauthorized' });
  if (path === '/api/user') return json(response, 200, { id: 1, login: 'admin', name: 'admin', isGrafanaAdmin: true });
  if (path === '/api/search') return json(response, 200, hits(params));
  if (path === '/api/datasources') return json(response, 200, DATASOURCES);
  if (path === '/api/dashboards/uid/no-json') return response.writeHead(200, { 'content-type': 'text/html' }).end('<html>a proxy is in the way</html>');
  if (path.startsWith('/api/dashboards/uid/')) {
    const found = dashboards.find((d) => d.dashboard.uid === decodeURIComponent(path.slice(20)));
    if (!found) return json(response, 404, { message: 'Dashboard not found' });
    return json(response, 200, { dashboard: found.dashboard, meta: { folderTitle: found.folder, provisioned: true, slug: found.slug } });
  }
  if (path === '/api/annotations') {
    const [from, to] = [Number(params.get('from')), Number(params.get('to'))];
    const at = (share) => Math.round(from + (to - from) * share);
    return json(response, 200, params.get('dashboardUID') === 'connected' ? [{ id: 1, time: at(0.2), timeEnd: at(0.3), text: 'Maintenance of <b>db-1</b>', tags: ['db'], panelId: 0 }] : []);
  }
  if (path === '/api/ds/query') {
    control.queries += 1;
    if (control.slowMs) await new Promise((done) => setTimeout(done, control.slowMs));
    const { from, to, queries } = await body(request);
    const results = Object.fromEntries(queries.map((q) => [q.refId, answerQuery(q, Number(from), Number(to))]));
    return json(response, 200, { results });
  }
  const proxied = /^\/api\/datasources\/proxy\/uid\/[^/]+(\/.*)$/.exec(path);
  if (proxied) return proxy(proxied[1], params, response);
  json(response, 404, { message: 'Not found' });
}

async function file(response, path) {
  const wanted = normalize(path).replace(/^(\.\.[/\\])+/, '');
  const name = extname(wanted) ? wanted : '/index.html';
  try {
    const content = await readFile(join(dist, name));
    const cache = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'cache-control': cache, 'content-security-policy': "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'" });
    response.end(content);
  } catch {
    response.writeHead(404).end('Not found');
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://fixture');
  try {
    if (url.pathname === '/__fixture') return json(response, 200, Object.assign(control, request.method === 'POST' ? await body(request) : {}));
    if (control.down) return request.socket.destroy();
    if (url.pathname.startsWith('/api/') || url.pathname === '/logout' || (url.pathname === '/login' && request.method === 'POST')) return await api(request, response, url);
    await file(response, url.pathname);
  } catch (error) {
    json(response, 500, { message: String(error) });
  }
});

server.listen(Number(process.argv[2] ?? 3105), '127.0.0.1', () => console.log(`fixture server on http://127.0.0.1:${server.address().port}`));
