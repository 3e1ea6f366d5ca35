// The main job, end to end; runs against the fixture and against a real server.
import assert from 'node:assert/strict';
import { DashboardPage, DashboardsPage, ExplorePage, LoginPage } from './pages/pages.mjs';

const DASHBOARD = 'ClientForge Backend - Overview';

export const specs = [
  {
    name: 'a person logs in, sees the dashboard, zooms, and asks a question in Explore',
    loggedIn: false,
    async test({ page, url }) {
      const login = new LoginPage(page, url);
      await login.open();
      await login.logIn('admin', process.env.SPYGLASS_PASSWORD ?? 'admin');

      const list = new DashboardsPage(page);
      await list.search('clientforge');
      await list.open(DASHBOARD);

      const dashboard = new DashboardPage(page);
      for (const title of ['HTTP Request Rate', 'Response Time p95', 'Error Logs']) await dashboard.panel(title).shown();
      assert.equal(await dashboard.panels().count(), 3);
      for (const title of ['HTTP Request Rate', 'Response Time p95']) {
        assert.ok((await dashboard.panel(title).paintedPixels()) > 200, `${title} is painted`);
        assert.ok((await dashboard.panel(title).series().count()) > 0, `${title} has a legend`);
      }
      await dashboard.panel('Error Logs').lines().first().waitFor();

      await dashboard.panel('HTTP Request Rate').zoom(0.85, 0.99);
      await page.waitForURL(/from=\d{13}&to=\d{13}/);
      assert.match(await dashboard.rangeText(), /^\d{4}-\d\d-\d\d .* to /);
      await dashboard.panel('HTTP Request Rate').shown();

      const explore = new ExplorePage(page, url);
      await explore.open();
      await explore.choose('Prometheus');
      await explore.run('sum(rate(http_requests_total[5m]))');
      await explore.rows().first().waitFor();
      await explore.choose('Loki');
      await explore.run('{job="backend"}');
      await explore.lines().first().waitFor();
    },
  },
  {
    name: 'a wrong password is refused with words',
    loggedIn: false,
    async test({ page, url }) {
      const login = new LoginPage(page, url);
      await login.open();
      await login.logIn('admin', 'wrong');
      assert.match(await login.error().innerText(), /invalid|wrong|incorrect/i);
    },
  },
  {
    name: 'without a session every page leads to the login, and back to the page after it',
    loggedIn: false,
    async test({ page, url }) {
      const login = new LoginPage(page, url);
      await login.open('/targets');
      await login.logIn('admin', process.env.SPYGLASS_PASSWORD ?? 'admin');
      await page.waitForURL(`${url}/targets`);
      await page.getByRole('heading', { name: 'Targets' }).waitFor();
    },
  },
  {
    name: 'new log lines arrive by themselves in Explore',
    real: true,
    async test({ page, url }) {
      await page.goto(`${url}/explore`);
      const explore = new ExplorePage(page, url);
      await explore.choose('Loki');
      await explore.run('{job="backend"}');
      await explore.lines().first().waitFor();
      await (await explore.goLive()).first().waitFor();
    },
  },
  {
    name: 'a wrong query is marked where it is wrong',
    async test({ page, url }) {
      await page.goto(`${url}/explore?datasource=prometheus`);
      const explore = new ExplorePage(page, url);
      await explore.choose('Prometheus');
      await explore.run('sum(boom boom');
      await explore.error().waitFor();
      assert.match(await explore.error().innerText(), /parse error/);
      await page.locator('.cm-lintRange-error').first().waitFor();
    },
  },
  {
    name: 'the targets page shows health and last scrape',
    async test({ page, url }) {
      await page.goto(`${url}/targets`);
      await page.locator('.state.up').first().waitFor();
      assert.match(await page.locator('.page').innerText(), /ago/);
    },
  },
];
