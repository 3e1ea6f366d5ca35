// Dashboards that the fixture server serves: the first one, and a gallery with a panel of every kind.
import { everyFeature } from './fixture-features.mjs';
import { cyclic, fiveThousand, hostile } from './fixture-hostile.mjs';

const prometheus = { type: 'prometheus', uid: 'prometheus' };
const loki = { type: 'loki', uid: 'loki' };
let id = 0;

const panel = (type, title, [x, y, w, h], targets, rest = {}) => ({ id: ++id, type, title, gridPos: { x, y, w, h }, datasource: prometheus, targets: targets.map((t, i) => ({ refId: String.fromCharCode(65 + i), range: true, datasource: prometheus, ...t })), options: {}, ...rest, fieldConfig: { defaults: { color: { mode: 'palette-classic' }, ...rest.defaults }, overrides: rest.overrides ?? [] } });
const instant = (expr, rest = {}) => ({ expr, instant: true, range: false, ...rest });

export const clientforge = {
  uid: 'clientforge-backend',
  title: 'ClientForge Backend - Overview',
  tags: ['clientforge', 'backend'],
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  refresh: '10s',
  templating: { list: [] },
  panels: [
    panel('timeseries', 'HTTP Request Rate', [0, 0, 12, 9], [{ expr: 'rate(http_requests_total[5m])', legendFormat: '{{method}} {{endpoint}}' }], { defaults: { unit: 'reqps', custom: { fillOpacity: 10 } }, description: 'Requests a second, by endpoint.' }),
    panel('timeseries', 'Response Time p95', [12, 0, 12, 9], [{ expr: 'histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))', legendFormat: '{{method}} {{endpoint}}' }], { defaults: { unit: 's' } }),
    panel('logs', 'Error Logs', [0, 9, 24, 11], [{ expr: '{job="backend"} |= "ERROR"', datasource: loki }], { datasource: loki, options: { showTime: true, sortOrder: 'Descending', enableLogDetails: true } }),
  ],
};

const thresholds = { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 12, color: 'yellow' }, { value: 17, color: 'red' }] };
const states = { mappings: [{ type: 'value', options: { 0: { text: 'Down', color: 'red' }, 1: { text: 'Up', color: 'green' } } }] };

export const gallery = {
  uid: 'gallery',
  title: 'Gallery of panels',
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-6h', to: 'now' },
  graphTooltip: 1,
  templating: {
    list: [
      { name: 'ds', type: 'datasource', query: 'prometheus', label: 'Datasource', current: { text: 'Prometheus', value: 'prometheus' } },
      { name: 'tenant', type: 'query', label: 'Tenant', datasource: prometheus, query: 'label_values(http_requests_total, tenant)', multi: true, includeAll: true, refresh: 1, sort: 1, current: { text: 'All', value: '$__all' } },
      { name: 'window', type: 'interval', label: 'Window', query: '1m,5m,1h', current: { text: '5m', value: '5m' } },
      { name: 'filter', type: 'textbox', label: 'Filter', query: '', current: { text: '', value: '' } },
      { name: 'mode', type: 'custom', label: 'Mode', query: 'fast : 1, slow : 2', current: { text: 'fast', value: '1' } },
    ],
  },
  panels: [
    { id: ++id, type: 'row', title: 'Time series', gridPos: { x: 0, y: 0, w: 24, h: 1 }, collapsed: false, panels: [] },
    panel('timeseries', 'Lines, table legend', [0, 1, 12, 9], [{ expr: 'sum by (endpoint) (rate(http_requests_total{tenant=~"$tenant"}[$window]))', legendFormat: '{{endpoint}}' }], { defaults: { unit: 'reqps', custom: { fillOpacity: 8, lineWidth: 1 } }, options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'mean', 'max'], showLegend: true }, tooltip: { mode: 'multi', sort: 'desc' } } }),
    panel('timeseries', 'Stacked', [12, 1, 6, 9], [{ expr: 'sum by (status) (rate(http_requests_total[5m]))', legendFormat: '{{status}}' }], { defaults: { unit: 'ops', custom: { fillOpacity: 60, lineWidth: 1, stacking: { mode: 'normal', group: 'A' } } } }),
    panel('timeseries', 'Bars, threshold area', [18, 1, 6, 9], [{ expr: 'sum(rate(http_request_errors_total[5m]))', legendFormat: 'errors' }], { defaults: { unit: 'short', custom: { drawStyle: 'bars', fillOpacity: 70, thresholdsStyle: { mode: 'dashed' } }, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 0.3, color: 'red' }] } } }),
    panel('timeseries', 'Two axes, gap, points', [0, 10, 12, 8], [{ expr: 'avg by (instance) (gap_cpu)', legendFormat: 'cpu {{instance}}' }, { expr: 'sum(process_resident_memory_bytes)', legendFormat: 'memory' }], { defaults: { unit: 'percentunit', custom: { lineInterpolation: 'smooth', showPoints: 'auto' } }, overrides: [{ matcher: { id: 'byName', options: 'memory' }, properties: [{ id: 'unit', value: 'bytes' }, { id: 'custom.axisPlacement', value: 'right' }, { id: 'color', value: { mode: 'fixed', fixedColor: 'purple' } }, { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } }] }] }),
    panel('timeseries', 'Right legend', [12, 10, 12, 8], [{ expr: 'sum by (tenant) (rate(http_requests_total[5m]))', legendFormat: '{{tenant}}' }], { defaults: { unit: 'reqps', custom: { fillOpacity: 20, gradientMode: 'opacity' } }, options: { legend: { displayMode: 'table', placement: 'right', calcs: ['mean', 'max'], showLegend: true } } }),
    { id: ++id, type: 'row', title: 'Numbers', gridPos: { x: 0, y: 18, w: 24, h: 1 }, collapsed: false, panels: [] },
    panel('stat', 'Requests', [0, 19, 4, 5], [{ expr: 'sum(rate(http_requests_total[5m]))' }], { defaults: { unit: 'reqps', color: { mode: 'thresholds' }, thresholds }, options: { graphMode: 'area', colorMode: 'value', reduceOptions: { calcs: ['lastNotNull'] } } }),
    panel('stat', 'By tenant', [4, 19, 8, 5], [{ expr: 'sum by (tenant) (rate(http_requests_total[5m]))', legendFormat: '{{tenant}}' }], { defaults: { unit: 'reqps', color: { mode: 'thresholds' }, thresholds }, options: { graphMode: 'none', colorMode: 'background', reduceOptions: { calcs: ['mean'] } } }),
    panel('gauge', 'CPU', [12, 19, 6, 5], [{ expr: 'avg by (instance) (cpu_percent)', legendFormat: '{{instance}}' }], { defaults: { unit: 'percent', min: 0, max: 100, color: { mode: 'thresholds' }, thresholds: { mode: 'percentage', steps: [{ value: null, color: 'green' }, { value: 50, color: 'orange' }, { value: 80, color: 'red' }] } } }),
    panel('bargauge', 'Latency', [18, 19, 6, 5], [{ expr: 'max by (endpoint) (latency_seconds)', legendFormat: '{{endpoint}}' }], { defaults: { unit: 's', color: { mode: 'continuous-GrYlRd' } }, options: { displayMode: 'gradient', orientation: 'horizontal', reduceOptions: { calcs: ['lastNotNull'] } } }),
    panel('table', 'Endpoints', [0, 24, 12, 8], [instant('sum by (endpoint) (rate(http_requests_total[5m]))', { format: 'table' }), instant('max by (endpoint) (latency_seconds)', { format: 'table' })], { transformations: [{ id: 'merge', options: {} }, { id: 'organize', options: { excludeByName: { Time: true }, renameByName: { 'Value #A': 'Rate', 'Value #B': 'Latency' } } }], overrides: [{ matcher: { id: 'byName', options: 'Rate' }, properties: [{ id: 'unit', value: 'reqps' }, { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'gradient' } }, { id: 'color', value: { mode: 'continuous-BlPu' } }] }, { matcher: { id: 'byName', options: 'Latency' }, properties: [{ id: 'unit', value: 's' }, { id: 'custom.cellOptions', value: { type: 'color-background' } }, { id: 'color', value: { mode: 'thresholds' } }, { id: 'thresholds', value: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 0.15, color: 'orange' }] } }] }] }),
    panel('piechart', 'By method', [12, 24, 6, 8], [{ expr: 'sum by (method) (rate(http_requests_total[5m]))', legendFormat: '{{method}}' }], { defaults: { unit: 'reqps' }, options: { pieType: 'donut', legend: { displayMode: 'table', placement: 'right', values: ['percent', 'value'], showLegend: true }, reduceOptions: { calcs: ['sum'] } } }),
    panel('barchart', 'By endpoint', [18, 24, 6, 8], [instant('sum by (endpoint) (rate(http_requests_total[5m]))', { format: 'table' })], { defaults: { unit: 'reqps' }, options: { xField: 'endpoint' } }),
    { id: ++id, type: 'row', title: 'Distributions and states', gridPos: { x: 0, y: 32, w: 24, h: 1 }, collapsed: false, panels: [] },
    panel('heatmap', 'Latency heatmap', [0, 33, 12, 8], [{ expr: 'sum by (le) (rate(http_request_duration_seconds_bucket[5m]))', format: 'heatmap', legendFormat: '{{le}}' }], { defaults: {}, options: { calculate: false, color: { scheme: 'Spectral', steps: 64 }, yAxis: { unit: 's' } } }),
    panel('histogram', 'Histogram', [12, 33, 12, 8], [{ expr: 'sum by (tenant) (latency_seconds)', legendFormat: '{{tenant}}' }], { defaults: { unit: 's' } }),
    panel('state-timeline', 'Instances', [0, 41, 12, 6], [{ expr: 'round(avg by (instance) (up_errors))', legendFormat: '{{instance}}' }], { defaults: { ...states, custom: { fillOpacity: 70 } } }),
    panel('status-history', 'History', [12, 41, 12, 6], [{ expr: 'avg by (instance) (errors)', legendFormat: '{{instance}}' }], { defaults: { color: { mode: 'thresholds' }, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 0.25, color: 'yellow' }, { value: 0.4, color: 'red' }] } } }),
    panel('logs', 'All logs', [0, 47, 16, 9], [{ expr: '{job="backend"} | json', datasource: loki }], { datasource: loki, options: { showTime: true, sortOrder: 'Descending', enableLogDetails: true } }),
    { id: ++id, type: 'text', title: 'Notes', gridPos: { x: 16, y: 47, w: 8, h: 9 }, options: { mode: 'markdown', content: '## Notes\n\nTenant is **$tenant**. See [Explore](/explore).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script><img src=x onerror=alert(1)> [bad](javascript:alert(1))' } },
    { id: ++id, type: 'row', title: 'Edges', gridPos: { x: 0, y: 56, w: 24, h: 1 }, collapsed: true, panels: [panel('timeseries', 'Broken query', [0, 57, 8, 6], [{ expr: 'sum(boom' }]), panel('timeseries', 'No data', [8, 57, 8, 6], [{ expr: 'nothing' }]), panel('acme-flower-panel', 'Unknown kind', [16, 57, 8, 6], [{ expr: 'sum by (method) (x)', legendFormat: '{{method}}' }]), panel('dashlist', 'Dashboards', [0, 63, 8, 6], [], { options: { showSearch: true, query: '' } })] },
  ],
};

/** The load of the speed budget: 20 time series panels of 10 series each. */
const tenSeries = (uid, title, count) => ({
  uid,
  title,
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-75m', to: 'now' },
  templating: { list: [] },
  panels: Array.from({ length: count }, (_, i) => panel('timeseries', `Panel ${i + 1}`, [(i % 3) * 8, Math.floor(i / 3) * 7, 8, 7], [{ expr: `ten_series(load_${i})`, legendFormat: '{{n}}' }], { defaults: { unit: ['reqps', 's', 'bytes', 'percentunit'][i % 4], custom: { fillOpacity: 10 } } })),
});

export const twenty = tenSeries('twenty', 'Twenty panels', 20);
export const sixty = tenSeries('sixty', 'Sixty panels', 60);

/** As many lines as no server gives out by default: what the list of lines itself can bear. */
export const longLog = {
  uid: 'long-log',
  title: 'A long log',
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: { list: [] },
  panels: [panel('logs', 'Lines', [0, 0, 24, 20], [{ expr: '{job="long"}', maxLines: 100000, datasource: loki }], { datasource: loki, options: { showTime: true, dedupStrategy: 'none' } })],
};

/** More panels than a screen holds, and queries that take part in every way of asking. */
export const tall = {
  uid: 'tall',
  title: 'A tall dashboard',
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: { list: [] },
  panels: Array.from({ length: 60 }, (_, i) => panel('timeseries', `Tall ${i + 1}`, [(i % 2) * 12, Math.floor(i / 2) * 8, 12, 8], [{ expr: `ten_series(tall_${i})`, legendFormat: '{{n}}' }])),
};

const inside = { name: 'ds', type: 'datasource', query: 'prometheus', current: { text: 'Prometheus', value: 'prometheus' } };

/** What reaches beyond single panels: filters, links, annotations, panels that reuse others. */
export const connected = {
  uid: 'connected',
  title: 'Connected',
  tags: ['fixture', 'connected'],
  annotations: {
    list: [
      { builtIn: 1, name: 'Annotations & Alerts', enable: true, hide: true, iconColor: 'rgba(0, 211, 255, 1)', datasource: { type: 'grafana', uid: '-- Grafana --' } },
      { name: 'Deploys', enable: true, iconColor: 'purple', datasource: prometheus, expr: 'sum by (job) (changes(deploys[1m]))', titleFormat: 'Deployed {{job}}', textFormat: 'by CI', step: '1m' },
      { name: 'Quiet', enable: false, iconColor: 'red', datasource: prometheus, expr: 'quiet > 0' },
    ],
  },
  links: [
    { type: 'link', title: 'Runbook', url: 'https://example.com/runbook', keepTime: true, includeVars: true, targetBlank: true },
    { type: 'link', title: 'Bad', url: 'javascript:alert(1)' },
    { type: 'dashboards', title: 'Others', tags: ['fixture'], asDropdown: true, keepTime: true },
    { type: 'dashboards', title: 'Backend', tags: ['backend'], asDropdown: false },
  ],
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: [
      inside,
      { name: 'Filters', type: 'adhoc', datasource: { type: 'prometheus', uid: '$ds' }, filters: [{ key: 'job', operator: '=', value: 'backend' }] },
      { name: 'errors', type: 'switch', label: 'Only errors', current: { text: 'Disabled', value: 'false' }, options: [{ text: 'Enabled', value: 'true' }, { text: 'Disabled', value: 'false' }] },
    ],
  },
  panels: [
    panel('timeseries', 'Requests by tenant', [0, 0, 12, 9], [{ expr: 'sum by (tenant) (rate(http_requests_total{only_errors="$errors"}[5m]))', legendFormat: '{{tenant}}' }], { links: [{ title: 'Elsewhere', url: '/explore?${__url_time_range}' }], defaults: { unit: 'reqps', links: [{ title: 'About ${__series.name}', url: '/explore?series=${__series.name}&at=${__value.time}' }] } }),
    panel('logs', 'Lines', [12, 0, 12, 9], [{ expr: '{job="backend"}', datasource: loki }], { datasource: loki }),
    { id: ++id, type: 'library-panel-ref', title: 'Lost', gridPos: { x: 12, y: 9, w: 12, h: 5 }, libraryPanel: { uid: 'lost-1', name: 'Lost panel' } },
    panel('stat', 'Reused', [0, 9, 12, 5], [{ panelId: id - 2, datasource: { uid: '-- Dashboard --' } }], { datasource: { type: 'datasource', uid: '-- Dashboard --' }, timeFrom: '30m', hideTimeOverride: true }),
  ],
};

/** Panels that share the pointer, and exemplars. */
export const shared = {
  uid: 'shared',
  title: 'Shared pointer',
  tags: ['fixture'],
  schemaVersion: 41,
  graphTooltip: 2,
  time: { from: 'now-1h', to: 'now' },
  panels: [
    panel('timeseries', 'Latency with exemplars', [0, 0, 12, 9], [{ expr: 'sum(latency_p95)', legendFormat: 'p95', exemplar: true }], { defaults: { unit: 's', custom: { fillOpacity: 8 } } }),
    panel('timeseries', 'Sorted tooltip', [12, 0, 12, 9], [{ expr: 'sum by (tenant) (rate(http_requests_total[5m]))', legendFormat: '{{tenant}}' }], { defaults: { unit: 'reqps' }, options: { tooltip: { mode: 'multi', sort: 'desc' } } }),
    panel('state-timeline', 'States', [0, 9, 12, 7], [{ expr: 'round(up_by_job)', legendFormat: '{{job}}' }], { defaults: { ...states, color: { mode: 'thresholds' } } }),
    panel('timeseries', 'No tooltip', [12, 9, 12, 7], [{ expr: 'sum(rate(http_requests_total[5m]))', legendFormat: 'all' }], { options: { tooltip: { mode: 'none' } } }),
  ],
};

const testData = { type: 'grafana-testdata-datasource', uid: 'testdata' };
const held = (...frames) => ({ scenarioId: 'raw_frames', datasource: testData, rawFrameContent: JSON.stringify(frames) });
const columns = (rows, types) => ({ fields: Object.entries(types).map(([name, config]) => ({ name, type: config.type ?? 'string', config, values: rows.map((r) => r[name] ?? null) })) });

const SERVICES = [['gateway', 'nginx'], ['accounts', 'node'], ['deals', 'node'], ['mailer', 'python'], ['postgres', 'database'], ['redis', 'cache'], ['search', 'elasticsearch']];
const CALLS = [[0, 1], [0, 2], [1, 4], [2, 4], [2, 5], [1, 5], [2, 3], [3, 2], [2, 6]];
const graphFrames = [
  columns(SERVICES.map(([title, subtitle], i) => ({ id: `s${i}`, title, subtitle, mainstat: 12 + i * 31, secondarystat: 40 / (i + 1), arc__ok: 1 - i * 0.06, arc__failed: i * 0.06, detail__version: `1.${i}.0` })), { id: {}, title: {}, subtitle: {}, mainstat: { type: 'number', unit: 'ms' }, secondarystat: { type: 'number', unit: 'reqps' }, arc__ok: { type: 'number', displayName: 'Succeeded', color: { mode: 'fixed', fixedColor: 'green' } }, arc__failed: { type: 'number', displayName: 'Failed', color: { mode: 'fixed', fixedColor: 'red' } }, detail__version: { displayName: 'Version', links: [{ title: 'About ${__value.raw}', url: '/explore?version=${__value.raw}' }] } }),
  columns(CALLS.map(([from, to], i) => ({ id: `e${i}`, source: `s${from}`, target: `s${to}`, mainstat: 3 + i * 2.5, thickness: 1 + (i % 3) })), { id: {}, source: {}, target: {}, mainstat: { type: 'number', unit: 'reqps' }, thickness: { type: 'number' } }),
];

/** A request with `count` spans: each but the first below an earlier one. */
function traceFrame(count) {
  const start = Date.UTC(2026, 10, 23, 9, 0, 0, 125);
  const rows = [];
  for (let i = 0; i < count; i++) {
    const parent = i ? rows[Math.floor((i - 1) / 2.3)] : null;
    const room = parent ? parent.duration : 1240;
    const duration = i ? room * (0.25 + ((i * 37) % 50) / 100) : room;
    const begin = parent ? parent.startTime + (room - duration) * (((i * 61) % 100) / 100) : start;
    const [service] = SERVICES[i % SERVICES.length];
    rows.push({ traceID: '5b8efff798038103d269b633813fc60c', spanID: `span${i}`, parentSpanID: parent?.spanID ?? '', serviceName: service, operationName: i ? ['SELECT contacts', 'GET /deals', 'publish', 'cache.get'][i % 4] : 'GET /api/v1/contacts', startTime: begin, duration, kind: i ? 'internal' : 'server', statusCode: i % 9 === 5 ? 2 : 0, statusMessage: i % 9 === 5 ? 'deadline exceeded' : '', tags: [{ key: 'http.method', value: 'GET' }, { key: 'tenant', value: 'acme' }, { key: 'rows', value: i }], serviceTags: [{ key: 'service.version', value: '1.4.2' }], logs: i % 9 === 5 ? [{ timestamp: begin + duration / 2, name: 'exception', fields: [{ key: 'message', value: '<img src=x onerror=alert(1)>' }] }] : [] });
  }
  return { ...columns(rows, { traceID: {}, spanID: {}, parentSpanID: {}, serviceName: {}, operationName: {}, startTime: { type: 'number' }, duration: { type: 'number' }, kind: {}, statusCode: { type: 'number' }, statusMessage: {}, tags: { type: 'other' }, serviceTags: { type: 'other' }, logs: { type: 'other' } }), meta: { preferredVisualisationType: 'trace' } };
}

/** Traces and what calls what, from data in the dashboard. */
export const traced = {
  uid: 'traced',
  title: 'Traces and graphs',
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: { list: [{ name: 'service', type: 'query', label: 'Service', datasource: { type: 'tempo', uid: 'tempo' }, query: { type: 1, label: 'resource.service.name' }, current: { text: 'gateway', value: 'gateway' } }] },
  panels: [
    panel('nodeGraph', 'Services', [0, 0, 14, 14], [held(...graphFrames)], { datasource: testData }),
    panel('nodeGraph', 'By forces', [14, 0, 10, 14], [held(graphFrames[1])], { datasource: testData, options: { layoutAlgorithm: 'force' } }),
    panel('traces', 'A request', [0, 14, 24, 14], [held(traceFrame(60))], { datasource: testData }),
    panel('traces', 'Large trace', [0, 28, 12, 10], [held(traceFrame(4000))], { datasource: testData }),
    panel('traces', 'Only slow ones of deals', [0, 38, 24, 8], [held(traceFrame(60))], { datasource: testData, options: { spanFilters: { serviceName: 'deals', from: '100ms', matchesOnly: true } } }),
    panel('traces', 'From Tempo', [12, 28, 6, 10], [{ query: '5b8efff798038103d269b633813fc60c', datasource: { type: 'tempo', uid: 'tempo' } }], { datasource: { type: 'tempo', uid: 'tempo' } }),
    panel('traces', 'No trace', [18, 28, 6, 10], [{ scenarioId: 'csv_content', csvContent: 'time,value\n1,2', datasource: testData }], { datasource: testData }),
  ],
};

const fleet = columns(
  Array.from({ length: 40 }, (_, i) => ({ host: `db-${i + 1}`, load: (i * 37) % 100, state: ['ok', 'slow', 'down'][i % 3], tags: ['eu,prod', 'us,staging', 'eu,test,old'][i % 3], note: i % 4 ? 'short' : 'A longer note that needs more than the one line that its row would have had without being wrapped.', about: '**bold** and `code`', json: { a: i, b: [1, 2] }, link: 'x' })),
  { host: { filterable: true, custom: { filterable: true, width: 90, footer: { reducers: [] } } }, load: { type: 'number', unit: 'percent', min: 0, max: 100, color: { mode: 'continuous-GrYlRd' }, custom: { cellOptions: { type: 'gauge', mode: 'lcd' }, minWidth: 160 } }, state: { color: { mode: 'thresholds' }, mappings: [{ type: 'value', options: { ok: { color: 'green' }, slow: { color: 'orange' }, down: { color: 'red' } } }], custom: { cellOptions: { type: 'color-background', mode: 'gradient' }, width: 80 } }, tags: { custom: { cellOptions: { type: 'pill' } } }, note: { custom: { cellOptions: { type: 'auto', wrapText: true }, inspect: true } }, about: { custom: { cellOptions: { type: 'markdown' } } }, json: { type: 'other', custom: { cellOptions: { type: 'json-view' }, inspect: true } }, link: { custom: { cellOptions: { type: 'data-links' } }, links: [{ title: 'One', url: '/explore?a=${__data.fields.host}' }, { title: 'Two', url: 'https://example.com' }, { title: 'Bad', url: 'javascript:alert(1)' }] } },
);

/** Settings that few panels have, one after another. */
export const options = {
  uid: 'options',
  title: 'Panel options',
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-6h', to: 'now' },
  panels: [
    panel('timeseries', 'Scheme of thresholds', [0, 0, 6, 8], [{ expr: 'sum(rate(http_requests_total[5m]))', legendFormat: 'all' }], { defaults: { color: { mode: 'thresholds' }, thresholds, unit: 'reqps', custom: { gradientMode: 'scheme', fillOpacity: 30, lineWidth: 2, axisBorderShow: true } } }),
    panel('timeseries', 'Continuous scheme', [6, 0, 6, 8], [{ expr: 'sum(rate(http_requests_total[5m]))', legendFormat: 'all' }], { defaults: { color: { mode: 'continuous-GrYlRd' }, custom: { gradientMode: 'scheme', lineWidth: 2, fillOpacity: 20 } } }),
    panel('timeseries', 'Hundred percent, two zones', [12, 0, 6, 8], [{ expr: 'sum by (status) (rate(http_requests_total[5m]))', legendFormat: '{{status}}' }], { defaults: { unit: 'reqps', custom: { fillOpacity: 60, stacking: { mode: 'percent', group: 'A' }, gradientMode: 'hue' } }, options: { timezone: ['utc', 'Asia/Tokyo'] } }),
    panel('timeseries', 'Symlog, axis of its colour', [18, 0, 6, 8], [{ expr: 'sum(rate(http_requests_total[5m])) - 14', legendFormat: 'difference' }], { defaults: { color: { mode: 'fixed', fixedColor: 'orange' }, custom: { scaleDistribution: { type: 'symlog', log: 10, linearThreshold: 1 }, axisColorMode: 'series', transform: 'negative-Y', axisLabel: 'Below zero' } } }),
    panel('table', 'Cells', [0, 16, 24, 9], [held(fleet)], { datasource: testData, options: { footer: { show: true, reducer: ['mean', 'max'], fields: ['load'] }, sortBy: [{ displayName: 'state', desc: false }, { displayName: 'load', desc: true }] } }),
    panel('table', 'Pages, coloured rows', [0, 25, 12, 8], [held(columns(Array.from({ length: 23 }, (_, i) => ({ name: `job ${i}`, state: i % 5 ? 1 : 0 })), { name: { custom: { filterable: true } }, state: { type: 'number', mappings: states.mappings, custom: { cellOptions: { type: 'color-background', mode: 'basic', applyToRow: true } } } }))], { datasource: testData, options: { enablePagination: true, footer: { show: true, reducer: ['count'], countRows: true } } }),
    panel('gauge', 'Labels, neutral', [12, 25, 6, 8], [{ expr: 'avg(cpu_percent)' }], { defaults: { unit: 'percent', min: 0, max: 100, color: { mode: 'thresholds' }, custom: { neutral: 50 }, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 50, color: 'orange' }, { value: 80, color: 'red' }] } }, options: { showThresholdLabels: true } }),
    panel('bargauge', 'Names beside, LCD', [18, 25, 6, 8], [{ expr: 'max by (endpoint) (latency_seconds)', legendFormat: '{{endpoint}}' }], { defaults: { unit: 's', color: { mode: 'continuous-GrYlRd' } }, options: { displayMode: 'lcd', orientation: 'horizontal', namePlacement: 'left', valueMode: 'text' } }),
    panel('stat', 'Wide, change', [0, 33, 12, 4], [{ expr: 'sum by (status) (rate(http_requests_total[5m]))', legendFormat: '{{status}}' }], { defaults: { unit: 'reqps', color: { mode: 'thresholds' }, thresholds }, options: { showPercentChange: true, graphMode: 'none', orientation: 'horizontal' } }),
    panel('stat', 'Graph, change inverted', [12, 33, 12, 4], [{ expr: 'sum by (tenant) (rate(http_requests_total[5m]))', legendFormat: '{{tenant}}' }], { defaults: { unit: 'reqps', color: { mode: 'thresholds' }, thresholds }, options: { showPercentChange: true, percentChangeColorMode: 'inverted', graphMode: 'line', colorMode: 'background' } }),
    panel('logs', 'Labels and fields', [0, 37, 12, 8], [{ expr: '{job="backend"}', datasource: loki }], { datasource: loki, options: { showTime: true, showLabels: true, showCommonLabels: true, displayedFields: ['message', 'tenantId'], enableLogDetails: true } }),
    panel('barchart', 'Percent, turned labels', [12, 37, 12, 8], [held(columns(['alpha service', 'beta service', 'gamma service with a long name'].map((name, i) => ({ name, ok: 80 - i * 20, slow: 10 + i * 5, failed: 3 + i * 9 })), { name: {}, ok: { type: 'number' }, slow: { type: 'number' }, failed: { type: 'number' } }))], { datasource: testData, options: { stacking: 'percent', xTickLabelRotation: -45, xTickLabelMaxLength: 14, legend: { showLegend: true, displayMode: 'list', placement: 'right' }, barRadius: 0.2 } }),
    panel('state-timeline', 'Pages, centred', [0, 45, 12, 7], [{ expr: 'round(latency_ok) + 0', legendFormat: '{{method}} {{endpoint}}' }], { defaults: { ...states, color: { mode: 'thresholds' }, custom: { fillOpacity: 70, lineWidth: 2 } }, options: { perPage: 4, alignValue: 'center', tooltip: { mode: 'multi' } } }),
    panel('dashlist', 'Starred and last', [12, 45, 6, 7], [], { options: { showStarred: true, showRecentlyViewed: true, showSearch: true, query: 'gallery', keepTime: true } }),
    panel('alertlist', 'Alerts, counted', [18, 45, 6, 7], [], { options: { viewMode: 'stat', stateFilter: { firing: true, pending: true } } }),
    panel('timeseries', 'Values, compared', [0, 52, 8, 8], [{ expr: 'sum(rate(http_requests_total[5m]))', legendFormat: 'all' }], { defaults: { unit: 'reqps', custom: { showValues: true } }, options: { timeCompare: true } }),
    panel('barchart', 'Logarithmic, thresholds', [8, 52, 8, 8], [held(columns([['a', 3], ['b', 40], ['c', 900], ['d', 0]].map(([name, size]) => ({ name, size })), { name: {}, size: { type: 'number', color: { mode: 'fixed', fixedColor: 'blue' }, thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 100, color: 'red' }] }, custom: { axisBorderShow: true, axisColorMode: 'series', scaleDistribution: { type: 'log', log: 10 }, thresholdsStyle: { mode: 'line+area' } } } }))], { datasource: testData }),
    panel('alertlist', 'By rule', [16, 52, 4, 8], [], { options: { stateFilter: { firing: true, pending: true, normal: true } } }),
    panel('alertlist', 'By team', [20, 52, 4, 8], [], { options: { groupMode: 'custom', groupBy: ['team'], stateFilter: { firing: true, pending: true } } }),
    panel('logs', 'Endless, small', [0, 60, 12, 8], [{ expr: '{job="backend"}', maxLines: 60, datasource: loki }], { datasource: loki, options: { showTime: true, fontSize: 'small', enableInfiniteScrolling: true, sortOrder: 'Descending' } }),
    panel('table', 'Signs, frozen, wrapped names', [12, 60, 12, 8], [held(columns(Array.from({ length: 12 }, (_, i) => ({ name: `host ${i}`, load: i * 7, text: 'words '.repeat(20), at: 1.7e12 + i * 6e4 })), { name: { custom: { sortable: false } }, load: { type: 'number', displayName: 'Load of the last fifteen minutes', custom: { wrapHeaderText: true, width: 110 } }, text: { custom: { cellOptions: { type: 'auto', wrapText: true }, width: 420 } }, at: { type: 'time', custom: { width: 300 } } }))], { datasource: testData, options: { showTypeIcons: true, frozenColumns: { left: 1 }, maxRowHeight: 45 } }),
    panel('heatmap', 'Made by a transformation', [0, 68, 12, 8], [{ expr: 'sum by (tenant) (rate(http_requests_total[5m]))' }], { transformations: [{ id: 'heatmap', options: { xBuckets: { mode: 'size', value: '30m' }, yBuckets: { mode: 'size', value: '5' } } }] }),
    panel('gauge', 'Circle, segments', [12, 72, 6, 6], [{ expr: 'avg(cpu_percent)' }], { defaults: { unit: 'percent', min: 0, max: 100, color: { mode: 'continuous-GrYlRd' } }, options: { shape: 'circle', segmentCount: 30, segmentSpacing: 0.3, barWidthFactor: 0.5, effects: { gradient: true }, sparkline: true, showThresholdMarkers: false } }),
    panel('gauge', 'Rounded, named', [18, 72, 6, 6], [{ expr: 'avg(cpu_percent)', legendFormat: 'CPU' }], { defaults: { unit: 'percent', min: 0, max: 100, color: { mode: 'continuous-BlYlRd' } }, options: { shape: 'gauge', barShape: 'rounded', barWidthFactor: 0.8, endpointMarker: 'point', textMode: 'value_and_name', effects: { gradient: true }, sparkline: true } }),
    panel('stat', 'Many in a low panel', [12, 68, 4, 4], [{ expr: 'sum by (method, endpoint) (rate(http_requests_total[5m]))', legendFormat: '{{method}} {{endpoint}}' }], { options: { orientation: 'horizontal' } }),
    panel('gauge', 'No such field', [16, 68, 4, 4], [{ expr: 'sum(rate(http_requests_total[5m]))', legendFormat: 'all' }], { options: { reduceOptions: { calcs: ['mean'], fields: '/^other$/' } } }),
    panel('bargauge', 'One bar', [20, 68, 4, 4], [{ expr: 'sum(rate(http_requests_total[5m]))', legendFormat: 'all' }], { defaults: { unit: 'reqps', min: 0, max: 40 }, options: { orientation: 'horizontal', displayMode: 'basic' } }),
    panel('heatmap', 'Spectral, few steps', [0, 8, 8, 8], [{ expr: 'sum by (le) (rate(x_bucket[5m]))', format: 'heatmap', legendFormat: '{{le}}' }], { options: { color: { mode: 'scheme', scheme: 'Spectral', steps: 8 }, yAxis: { unit: 's', axisLabel: 'Duration' }, cellGap: 2, cellRadius: 4, tooltip: { yHistogram: true } } }),
    panel('heatmap', 'Opacity, turned', [8, 8, 8, 8], [{ expr: 'sum by (le) (rate(x_bucket[5m]))', format: 'heatmap', legendFormat: '{{le}}' }], { options: { color: { mode: 'opacity', fill: 'blue', scale: 'exponential', exponent: 0.4 }, yAxis: { unit: 's', reverse: true, axisPlacement: 'right' }, legend: { show: false } } }),
    panel('heatmap', 'Counted, values', [16, 8, 8, 8], [{ expr: 'sum by (tenant) (rate(http_requests_total[5m]))' }], { options: { calculate: true, calculation: { xBuckets: { mode: 'size', value: '30m' }, yBuckets: { mode: 'size', value: '5' } }, showValue: 'auto', color: { mode: 'scheme', scheme: 'Viridis', steps: 64 } } }),
  ],
};

export const dashboards = [
  { dashboard: everyFeature, slug: 'every-feature', folder: 'Fixtures' },
  { dashboard: hostile, slug: 'hostile', folder: 'Hostile' },
  { dashboard: cyclic, slug: 'cyclic', folder: 'Hostile' },
  { dashboard: fiveThousand, slug: 'five-thousand', folder: 'Hostile' },
  { dashboard: options, slug: 'panel-options', folder: 'Fixtures' },
  { dashboard: longLog, slug: 'a-long-log', folder: 'Fixtures' },
  { dashboard: tall, slug: 'a-tall-dashboard', folder: 'Fixtures' },
  { dashboard: traced, slug: 'traces-and-graphs', folder: 'Fixtures' },
  { dashboard: shared, slug: 'shared-pointer', folder: 'Fixtures' },
  { dashboard: connected, slug: 'connected', folder: 'Fixtures' },
  { dashboard: twenty, slug: 'twenty-panels', folder: 'Fixtures' },
  { dashboard: sixty, slug: 'sixty-panels', folder: 'Fixtures' },
  { dashboard: clientforge, slug: 'clientforge-backend-overview', folder: 'ClientForge' },
  { dashboard: gallery, slug: 'gallery-of-panels', folder: 'Fixtures' },
];
