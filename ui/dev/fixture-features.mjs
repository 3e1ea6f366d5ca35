// A dashboard with a panel for every feature that public dashboards use: tests/fixtures/dashboards/features.json, which the server's tests read too.
import { readFileSync } from 'node:fs';

const features = JSON.parse(readFileSync(new URL('../../tests/fixtures/dashboards/features.json', import.meta.url), 'utf8'));
/** Kinds of before Grafana's migrations, which the server brings to today's, and rows. */
const OLD = new Set(['graph', 'singlestat', 'table-old', 'grafana-piechart-panel', 'row']);
const prometheus = { type: 'prometheus', uid: 'prometheus' };
const asking = [{ refId: 'A', datasource: prometheus, expr: 'sum by (endpoint) (feature)', range: true }];
const table = [{ refId: 'A', datasource: prometheus, expr: 'sum by (job, instance) (feature)', instant: true, range: false, format: 'table' }];

const panels = [];
function add(type, title, { defaults = {}, overrides = [], ...rest } = {}) {
  const i = panels.length;
  panels.push({ id: i + 1, type, title, gridPos: { x: (i % 8) * 3, y: Math.floor(i / 8) * 5, w: 3, h: 5 }, datasource: prometheus, targets: asking, options: {}, ...rest, fieldConfig: { defaults, overrides } });
}
const override = (id, value) => ({ overrides: [{ matcher: { id: 'byRegexp', options: '/.*/' }, properties: [{ id, value }] }] });

for (const kind of [...features.panels.filter((k) => !OLD.has(k)), ...features.other_panels]) add(kind, `panel ${kind}`);
for (const [id, options] of Object.entries(features.transformations)) add('table', `transformation ${id}`, { targets: table, transformations: [{ id, options }] });
for (const unit of features.units) add('stat', `unit ${unit}`, { defaults: { unit } });
for (const calc of features.calculations) add('timeseries', `calculation ${calc}`, { options: { legend: { displayMode: 'table', placement: 'right', calcs: [calc] } } });
for (const [key, value] of Object.entries(features.custom)) add(/^(align|inspect|cellOptions|filterable|displayMode|minWidth|footer|width|wrapText)$/.test(key) ? 'table' : 'timeseries', `custom ${key}`, { targets: asking, defaults: { custom: { [key]: value } } });
for (const [id, value] of Object.entries(features.properties)) add('timeseries', `property ${id}`, override(id, value));
for (const [id, options] of Object.entries(features.matchers)) add('timeseries', `matcher ${id}`, { overrides: [{ matcher: { id, options }, properties: [{ id: 'unit', value: 's' }] }] });
for (const mode of features.colors) add('bargauge', `colour ${mode}`, { defaults: { color: { mode, fixedColor: 'blue' } } });
for (const mapping of features.mappings.filter((m) => typeof m.type === 'string')) add('stat', `mapping ${mapping.type}`, { defaults: { mappings: [mapping] } });

export const everyFeature = {
  uid: 'features',
  title: 'Every feature',
  tags: ['fixture'],
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: { list: [{ name: 'v', type: 'custom', query: 'a,b' }, ...features.variables.map((v, i) => ({ name: `v${i}`, datasource: v.type === 'datasource' ? null : prometheus, current: {}, ...v }))] },
  panels,
};
