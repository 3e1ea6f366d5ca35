// Dashboards that somebody wrote by mistake, or to do harm.
const prometheus = { type: 'prometheus', uid: 'prometheus' };
const MARKUP = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';
const LINKS = [{ title: 'Run', url: 'javascript:window.hurt=1' }, { title: MARKUP, url: 'https://example.com/' }, { title: 'Data', url: 'data:text/html,<script>window.hurt=1</script>' }];

const at = (i, h = 8) => ({ x: (i % 3) * 8, y: Math.floor(i / 3) * h, w: 8, h });
const asking = (expr, rest = {}) => [{ refId: 'A', datasource: prometheus, expr, range: true, ...rest }];
const panel = (i, type, title, targets, rest = {}) => ({ id: i + 1, type, title, gridPos: at(i), datasource: prometheus, targets, options: {}, ...rest, fieldConfig: { defaults: { links: LINKS, ...rest.defaults }, overrides: [] } });

export const hostile = {
  uid: 'hostile',
  title: `Hostile ${MARKUP}`,
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  links: LINKS.map((l) => ({ type: 'link', ...l })),
  templating: { list: [{ name: 'evil', type: 'custom', query: `${MARKUP},b`, current: { text: MARKUP, value: MARKUP } }] },
  panels: [
    panel(0, 'timeseries', MARKUP, asking('sum by (endpoint) (x)', { legendFormat: MARKUP }), { description: MARKUP, links: LINKS }),
    panel(1, 'table', 'Table', asking('sum by (endpoint) (x)', { instant: true, range: false, format: 'table', legendFormat: MARKUP }), { defaults: { mappings: [{ type: 'range', options: { from: null, to: null, result: { text: MARKUP, color: 'url(javascript:alert(1))' } } }] } }),
    panel(2, 'stat', 'Stat of $evil', asking('sum(x)'), { defaults: { unit: `suffix:${MARKUP}`, color: { mode: 'fixed', fixedColor: 'red;background:url(https://example.com/x)' } } }),
    panel(3, 'text', 'Text', [], { options: { mode: 'html', content: `${MARKUP}<iframe src="javascript:window.hurt=1"></iframe><a href="javascript:window.hurt=1">a</a><svg onload="window.hurt=1"></svg>` } }),
    panel(4, 'text', 'Markdown', [], { options: { mode: 'markdown', content: `[a](javascript:window.hurt=1) ![b](javascript:window.hurt=1)\n\n${MARKUP}` } }),
    panel(5, 'timeseries', 'Huge values', asking('huge_values')),
    panel(6, 'stat', 'Huge stat', asking('huge_values'), { defaults: { decimals: 400, min: -1e308, max: 1e308, thresholds: { mode: 'percentage', steps: [{ value: null, color: 'green' }, { value: 1e308, color: 'red' }] } } }),
    panel(7, 'gauge', 'Huge gauge', asking('huge_values')),
    panel(8, 'timeseries', 'Nobody there', asking('up'), { datasource: { uid: 'nobody', type: 'prometheus' }, targets: [{ refId: 'A', datasource: { uid: 'nobody', type: 'prometheus' }, expr: 'up' }] }),
    panel(9, 'table', 'Bad patterns', asking('sum by (endpoint) (x)'), { transformations: [{ id: 'renameByRegex', options: { regex: '((', renamePattern: 'x' } }, { id: 'filterByValue', options: { filters: [{ fieldName: 'Value', config: { id: 'regex', options: { value: '((' } } }] } }, { id: 'organize', options: null }] }),
    panel(10, 'stat', 'Odd options', asking('sum(x)'), { options: { reduceOptions: { calcs: 'nope', fields: '/((/' }, text: { valueSize: 'big' } } }),
    panel(11, 'heatmap', 'Odd heatmap', asking('huge_values')),
  ],
};

/** Variables that wait for each other, and panels and rows repeated by them and by a thousand values. */
export const cyclic = {
  uid: 'cyclic',
  title: 'Cyclic',
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: [
      { name: 'a', type: 'query', datasource: prometheus, query: 'label_values(up{job="$b"}, tenant)', refresh: 1, includeAll: true, multi: true, current: { text: 'All', value: ['$__all'] } },
      { name: 'b', type: 'query', datasource: prometheus, query: 'label_values(up{job="$a"}, tenant)', refresh: 1, current: {} },
      { name: 'many', type: 'custom', query: Array.from({ length: 1000 }, (_, i) => `v${i}`).join(','), multi: true, includeAll: true, current: { text: 'All', value: ['$__all'] } },
    ],
  },
  panels: [
    { id: 1, type: 'row', title: 'Row of $a', repeat: 'a', gridPos: { x: 0, y: 0, w: 24, h: 1 }, panels: [] },
    { ...panel(1, 'stat', 'Panel of $a', asking('sum(x{tenant="$a"})')), repeat: 'a', gridPos: { x: 0, y: 1, w: 24, h: 4 } },
    { id: 3, type: 'row', title: 'Many', gridPos: { x: 0, y: 20, w: 24, h: 1 }, panels: [] },
    { ...panel(3, 'stat', 'One of $many', asking('sum(x{v="$many"})')), repeat: 'many', maxPerRow: 12, gridPos: { x: 0, y: 21, w: 24, h: 4 } },
    { ...panel(4, 'stat', 'Repeated by nobody', asking('sum(x)')), repeat: 'nobody', gridPos: { x: 0, y: 400, w: 6, h: 4 } },
  ],
};

export const fiveThousand = {
  uid: 'five-thousand',
  title: 'Five thousand panels',
  schemaVersion: 41,
  time: { from: 'now-1h', to: 'now' },
  templating: { list: [] },
  panels: Array.from({ length: 5000 }, (_, i) => panel(i, 'timeseries', `Panel ${i + 1}`, asking(`ten_series(p${i})`))),
};
