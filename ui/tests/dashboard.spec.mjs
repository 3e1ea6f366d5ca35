// What dashboards do; needs the fixture's gallery.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';

const open = async (page, url, uid, query = '') => {
  await page.goto(`${url}/d/${uid}/x${query}`);
  await page.locator('.panel').first().waitFor();
  return new DashboardPage(page);
};

/** Rows of labels, of a table that has none. */
const EMPTY = ['transformation labelsToFields'];

export const specs = [
  {
    name: 'the menu of a low panel lies over its neighbours',
    fixture: true,
    viewport: { width: 1600, height: 2700 },
    async test({ page, url }) {
      await page.route('**/api/dashboards/uid/gallery', async (route) => {
        const answer = await (await route.fetch()).json();
        const titled = (title) => answer.dashboard.panels.find((p) => p.title === title);
        titled('Requests').gridPos = { x: 0, y: 19, w: 4, h: 2 };
        titled('Endpoints').gridPos = { x: 0, y: 21, w: 4, h: 8 };
        await route.fulfill({ json: answer });
      });
      const dashboard = await open(page, url, 'gallery');
      const panel = dashboard.panel('Requests');
      await panel.root.getByRole('button', { name: /Menu of/ }).click();
      const items = panel.root.getByRole('menuitem');
      await items.first().waitFor();
      const covered = await items.evaluateAll((all) => all.filter((item) => {
        const { left, top, width, height } = item.getBoundingClientRect();
        return !item.contains(document.elementFromPoint(left + width / 2, top + height / 2));
      }).map((item) => item.textContent));
      assert.deepEqual(covered, []);
      const [box, last] = await Promise.all([panel.root.boundingBox(), items.last().boundingBox()]);
      assert.ok(last.y + last.height > box.y + box.height, 'the menu is longer than the panel, or this tells nothing');
    },
  },
  {
    name: 'every panel of the gallery draws',
    fixture: true,
    viewport: { width: 1600, height: 2700 },
    async test({ page, url }) {
      await open(page, url, 'gallery');
      await page.getByRole('button', { name: /Edges/ }).click();
      await page.waitForFunction(() => [...document.querySelectorAll('.panel')].every((p) => p.dataset.state !== 'loading'));
      const states = await page.locator('.panel').evaluateAll((all) => Object.fromEntries(all.map((p) => [p.getAttribute('aria-label'), p.dataset.state])));
      const odd = Object.entries(states).filter(([, state]) => state !== 'done');
      assert.deepEqual(odd, [['Broken query', 'error'], ['No data', 'empty']]);
      assert.match(await page.getByRole('region', { name: 'Unknown kind' }).first().innerText(), /acme-flower-panel/);
      assert.match(await page.getByRole('region', { name: 'Broken query' }).innerText(), /parse error/);
    },
  },
  {
    name: 'every feature that public dashboards use draws',
    fixture: true,
    viewport: { width: 1600, height: 1400 },
    async test({ page, url }) {
      await open(page, url, 'features');
      const count = await page.locator('.panel').count();
      assert.ok(count > 150, `${count} panels`);
      const states = new Map();
      for (let at = 0; at < count; at += 24) {
        await page.locator('.panel').nth(at).scrollIntoViewIfNeeded();
        await page.waitForFunction(() => [...document.querySelectorAll('.panel[data-state="loading"]')].every((p) => p.getBoundingClientRect().top > innerHeight + 240 || p.getBoundingClientRect().bottom < -240));
        for (const [title, state, text] of await page.locator('.panel').evaluateAll((all) => all.map((p) => [p.getAttribute('aria-label'), p.dataset.state, p.querySelector('.message')?.textContent ?? '']))) if (state !== 'loading') states.set(title, `${state} ${text}`.trim());
      }
      assert.equal(states.size, new Set(await page.locator('.panel').evaluateAll((all) => all.map((p) => p.getAttribute('aria-label')))).size, 'every panel was seen');
      const odd = [...states].filter(([, state]) => state !== 'done');
      assert.deepEqual(odd.filter(([title]) => !EMPTY.includes(title)), []);
    },
  },
  {
    name: 'nothing from a text panel can run',
    fixture: true,
    viewport: { width: 1600, height: 2700 },
    async test({ page, url }) {
      let dialogs = 0;
      page.on('dialog', (d) => ((dialogs += 1), d.dismiss()));
      await open(page, url, 'gallery');
      const notes = page.getByRole('region', { name: 'Notes' }).first();
      await notes.getByRole('link', { name: 'Explore' }).waitFor();
      const html = await notes.innerHTML();
      assert.doesNotMatch(html, /onerror|<script|href="javascript/i);
      assert.equal(dialogs, 0);
    },
  },
  {
    name: 'panels of one load go out together, and panels out of view ask nothing',
    fixture: true,
    async test({ page, url }) {
      const sent = [];
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && sent.push(r.postDataJSON().queries.length));
      const dashboard = await open(page, url, 'clientforge-backend', '?refresh=');
      await dashboard.panel('Error Logs').shown();
      await dashboard.panel('Response Time p95').shown();
      assert.deepEqual(sent.sort(), [1, 2]);
      sent.length = 0;
      await page.getByLabel('Refresh interval').selectOption('1h');
      await page.waitForURL(/refresh=1h/);
      assert.deepEqual(sent, [], 'a new refresh interval asks nothing');
      const gallery = await open(page, url, 'gallery');
      await gallery.panel('Lines, table legend').shown();
      assert.ok(sent.reduce((a, b) => a + b, 0) < 15, `asked ${sent}`);
    },
  },
  {
    name: 'variables go into queries and the address',
    fixture: true,
    async test({ page, url }) {
      const exprs = [];
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && exprs.push(...r.postDataJSON().queries.map((q) => q.expr)));
      const dashboard = await open(page, url, 'gallery');
      await dashboard.panel('Lines, table legend').shown();
      assert.ok(exprs.some((e) => e.includes('tenant=~"(acme|globex|initech|umbrella)"') && e.includes('[5m]')), exprs.join('\n'));
      await page.getByRole('button', { name: 'Tenant: All' }).click();
      await page.getByRole('option', { name: 'globex' }).click();
      await page.keyboard.press('Escape');
      await page.waitForURL(/var-tenant=globex/);
      await page.waitForFunction(() => true);
      await dashboard.panel('Lines, table legend').shown();
      assert.ok(exprs.some((e) => e.includes('tenant=~"globex"')), exprs.join('\n'));
    },
  },
  {
    name: 'the address restores range, variables and the single panel',
    fixture: true,
    async test({ page, url }) {
      const dashboard = await open(page, url, 'gallery', '?from=now-15m&to=now&var-tenant=acme&viewPanel=5');
      assert.equal(await dashboard.rangeText(), 'Last 15 minutes');
      await page.getByRole('button', { name: 'Tenant: acme' }).waitFor();
      assert.equal(await dashboard.panels().count(), 1);
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => document.querySelectorAll('.panel').length > 5);
    },
  },
  {
    name: 'a click in the legend shows one series alone; a second one all',
    fixture: true,
    async test({ page, url }) {
      const dashboard = await open(page, url, 'clientforge-backend');
      const panel = dashboard.panel('HTTP Request Rate');
      await panel.shown();
      const off = () => panel.root.locator('.legend button[aria-pressed="false"]').count();
      await panel.series().first().click();
      assert.equal(await off(), (await panel.series().count()) - 1);
      await panel.series().first().click();
      assert.equal(await off(), 0);
    },
  },
  {
    name: 'a log line opens and shows its fields; wrap and order switch',
    fixture: true,
    async test({ page, url }) {
      const dashboard = await open(page, url, 'clientforge-backend', '?refresh=');
      const panel = dashboard.panel('Error Logs');
      await panel.shown();
      const first = await panel.lines().first().innerText();
      await panel.root.locator('.toggle').first().click();
      assert.match(await panel.root.locator('.details').innerText(), /tenantId/);
      await panel.root.locator('.toggle').first().click();
      await panel.root.getByRole('button', { name: 'Newest first' }).click();
      await panel.root.getByRole('button', { name: 'Oldest first' }).waitFor();
      assert.notEqual(await panel.lines().first().innerText(), first);
    },
  },
  {
    name: 'a log line leads where its datasource says',
    fixture: true,
    async test({ page, url }) {
      const dashboard = await open(page, url, 'clientforge-backend');
      await dashboard.panel('Error Logs').root.locator('.toggle').first().click();
      assert.match(await dashboard.panel('Error Logs').link('Open the request').getAttribute('href'), /^https:\/\/example\.com\/req-/);
    },
  },
  {
    name: 'a server that goes away is announced, and the page heals by itself',
    fixture: true,
    async test({ page, url, context }) {
      const dashboard = await open(page, url, 'clientforge-backend', '?refresh=1s');
      await dashboard.panel('HTTP Request Rate').shown();
      await context.request.post(`${url}/__fixture`, { data: { down: true } });
      try {
        await page.getByText('The server is not answering.').waitFor();
        assert.ok((await dashboard.panel('HTTP Request Rate').paintedPixels()) > 200, 'the last data stays');
      } finally {
        await context.request.post(`${url}/__fixture`, { data: { down: false } });
      }
      await page.getByText('The server is not answering.').waitFor({ state: 'hidden' });
      await page.waitForFunction(() => [...document.querySelectorAll('.panel')].every((p) => p.dataset.state === 'done'));
    },
  },
  {
    name: 'the keyboard alone opens a panel, moves the range, and refreshes',
    fixture: true,
    async test({ page, url }) {
      const dashboard = await open(page, url, 'clientforge-backend', '?refresh=');
      await dashboard.panel('HTTP Request Rate').shown();
      await dashboard.panel('HTTP Request Rate').series().first().focus();
      await page.keyboard.press('v');
      await page.waitForURL(/viewPanel=/);
      await page.keyboard.press('Escape');
      await page.keyboard.press('t');
      await page.keyboard.press('ArrowLeft');
      await page.waitForURL(/from=\d+/);
      const asked = page.waitForRequest((r) => r.url().endsWith('/api/ds/query'));
      await page.keyboard.press('d');
      await page.keyboard.press('r');
      await asked;
    },
  },
  {
    name: 'a table turns its pages, filters by value, and leaves no script a way in',
    fixture: true,
    viewport: { width: 1440, height: 2600 },
    async test({ page, url }) {
      await page.goto(`${url}/d/options/x`);
      const dashboard = new DashboardPage(page);
      const paged = dashboard.panel('Pages, coloured rows').table();
      await paged.cell('job 0').waitFor();
      await paged.button('Next page').click();
      await paged.cell('job 5').waitFor();
      assert.equal(await paged.cell('job 0').count(), 0);
      await paged.filter('name', ['job 7', 'job 8']);
      await paged.root.getByText('1–2 of 2').waitFor();
      await paged.cell('job 8').waitFor();
      const cells = dashboard.panel('Cells').table();
      await cells.cell('db-9').waitFor();
      assert.equal(await cells.root.locator('a[href^="javascript"]').count(), 0);
      assert.ok((await cells.root.getByRole('link', { name: 'One' }).count()) > 0);
      await cells.button('All of note').first().focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByText('A longer note').waitFor();
    },
  },
  {
    name: 'a list of dashboards has starred ones, those opened last, and what is found; a list of alerts counts',
    fixture: true,
    viewport: { width: 1440, height: 2600 },
    async test({ page, url }) {
      await open(page, url, 'clientforge-backend');
      await page.goto(`${url}/d/options/x`);
      const list = new DashboardPage(page).panel('Starred and last');
      await list.link('Connected').waitFor();
      assert.match(await list.link('ClientForge Backend - Overview').getAttribute('href'), /^\/d\/clientforge-backend\/.*\?from=\d+&to=\d+$/);
      await list.link('Gallery of panels').waitFor();
      await new DashboardPage(page).panel('Alerts, counted').root.getByText('4', { exact: true }).waitFor();
    },
  },
];
