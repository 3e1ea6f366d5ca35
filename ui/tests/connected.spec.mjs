// What reaches beyond single panels: filters, links, annotations, panels that reuse others; needs the fixture.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';

const open = async (page, url, query = '') => {
  const asked = [];
  page.on('request', (r) => r.url().endsWith('/api/ds/query') && asked.push(r.postDataJSON()));
  await page.goto(`${url}/d/connected/x${query}`);
  const dashboard = new DashboardPage(page);
  await dashboard.panel('Requests by tenant').shown();
  return { dashboard, exprs: () => asked.flatMap((a) => a.queries.map((q) => q.expr)), asked };
};

export const specs = [
  {
    name: 'ad hoc filters go into every query of their datasource, and into the address',
    fixture: true,
    async test({ page, url }) {
      const { dashboard, exprs } = await open(page, url);
      await dashboard.panel('Lines').shown();
      assert.ok(exprs().includes('sum by (tenant) (rate(http_requests_total{job="backend", only_errors="false"}[5m]))'), exprs().join('\n'));
      assert.ok(exprs().includes('{job="backend"}'), 'the other datasource is left alone');
      await page.getByRole('button', { name: 'Add a filter to Filters' }).click();
      await page.getByLabel('Label', { exact: true }).fill('tenant');
      await page.getByLabel('Operator').selectOption('!=');
      const again = page.waitForRequest((r) => r.url().endsWith('/api/ds/query') && r.postData().includes('tenant!='));
      await page.getByLabel('Value', { exact: true }).fill('acme');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await again;
      await page.waitForURL(/var-Filters=tenant%7C%21%3D%7Cacme/);
      await page.getByRole('button', { name: 'Remove job = backend' }).click();
      await page.waitForURL((address) => !address.search.includes('backend'));
    },
  },
  {
    name: 'a switch is one of its two values',
    fixture: true,
    async test({ page, url }) {
      const { exprs } = await open(page, url);
      const again = page.waitForRequest((r) => r.url().endsWith('/api/ds/query') && r.postData().includes('only_errors=\\"true\\"'));
      await page.getByRole('switch', { name: 'Only errors' }).check();
      await again;
      await page.waitForURL(/var-errors=true/);
      assert.ok(exprs().some((e) => e.includes('only_errors="false"')));
    },
  },
];
