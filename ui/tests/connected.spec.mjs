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
    name: 'a library panel that is not there says which one it is',
    fixture: true,
    async test({ page, url }) {
      await page.goto(`${url}/d/connected/x`);
      const panel = new DashboardPage(page).panel('Lost');
      await panel.root.getByText('The library panel “Lost panel” is not in the library (lost-1).').waitFor();
    },
  },
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
    name: 'links of the dashboard, of a panel and of a value',
    fixture: true,
    async test({ page, url }) {
      const { dashboard } = await open(page, url);
      assert.equal(await page.getByRole('link', { name: 'Runbook' }).getAttribute('href'), 'https://example.com/runbook?from=now-1h&to=now&var-ds=prometheus&var-Filters=job%7C%3D%7Cbackend&var-errors=false');
      assert.equal(await page.getByRole('link', { name: 'Bad' }).count(), 0);
      await page.getByRole('link', { name: 'ClientForge Backend - Overview' }).waitFor();
      await page.getByRole('button', { name: 'Others' }).click();
      assert.equal(await page.getByRole('menuitem', { name: 'Gallery of panels' }).getAttribute('href'), '/d/gallery/gallery-of-panels?from=now-1h&to=now');
      await page.keyboard.press('Escape');
      const panel = dashboard.panel('Requests by tenant');
      await panel.root.getByRole('button', { name: /Menu of/ }).click();
      assert.match(await panel.root.getByRole('menuitem', { name: 'Elsewhere' }).getAttribute('href'), /explore\?from=\d+&to=\d+$/);
      await page.keyboard.press('Escape');
      await panel.root.locator('.u-over').click();
      assert.match(await panel.root.getByRole('link', { name: /About \w+/ }).getAttribute('href'), /series=\w+&at=\d+$/);
    },
  },
  {
    name: 'annotations go out with the panels, are drawn, and can be switched',
    fixture: true,
    async test({ page, url }) {
      const { dashboard, asked } = await open(page, url);
      const requests = asked.filter((a) => a.queries[0].datasource.type === 'prometheus');
      assert.ok(requests.some((a) => a.queries.some((q) => q.expr.includes('deploys')) && a.queries.some((q) => q.expr.includes('by (tenant)'))), JSON.stringify(requests));
      const over = dashboard.panel('Requests by tenant').root.locator('.u-over');
      const { width, height } = await over.boundingBox();
      await over.hover({ position: { x: width * 0.25, y: height / 2 } });
      await page.getByText('Maintenance of <b>db-1</b>').waitFor();
      const again = page.waitForRequest((r) => r.url().endsWith('/api/ds/query') && r.postData().includes('quiet{job='));
      await page.getByLabel('Quiet').check();
      await again;
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
