// Dashboards that are wrong, huge or hostile: the page says what is wrong where it is wrong, the rest works, and nothing runs.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';

const idle = (page) => page.waitForFunction(() => document.querySelector('.panel') && [...document.querySelectorAll('.panel[data-state="loading"]')].every((p) => p.getBoundingClientRect().top > innerHeight + 240 || p.getBoundingClientRect().bottom < -240));
const state = (dashboard, title) => dashboard.panel(title).root.getAttribute('data-state');

export const specs = [
  {
    name: 'nothing in a dashboard runs: titles, legends, mappings, units, links, variables, texts',
    fixture: true,
    viewport: { width: 1600, height: 1800 },
    async test({ page, url }) {
      const outside = [];
      page.on('request', (r) => !r.url().startsWith(url) && !r.url().startsWith('data:image') && outside.push(r.url()));
      await page.goto(`${url}/d/hostile/x`);
      await idle(page);
      const found = await page.evaluate(() => ({
        hurt: window.hurt,
        links: [...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href')).filter((href) => !/^(https?:|mailto:|\/|#)/.test(href)),
        elements: [...document.querySelectorAll('main iframe, main script, main [onerror], main [onload]')].map((e) => e.outerHTML),
      }));
      assert.deepEqual(found, { hurt: undefined, links: [], elements: [] });
      assert.deepEqual(outside, [], 'nothing is fetched from elsewhere');
      assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /^Hostile <img src=x onerror/, 'what it says is shown as it is written');
    },
  },
  {
    name: 'huge values, odd options and missing datasources stay within their panel',
    fixture: true,
    viewport: { width: 1600, height: 1800 },
    async test({ page, url }) {
      await page.goto(`${url}/d/hostile/x`);
      await idle(page);
      const dashboard = new DashboardPage(page);
      assert.match(await dashboard.panel('Nobody there').message().innerText(), /There is no datasource "nobody"/);
      const states = Object.fromEntries(await Promise.all(['Huge values', 'Huge stat', 'Huge gauge', 'Bad patterns', 'Odd options', 'Odd heatmap', 'Table'].map(async (title) => [title, await state(dashboard, title)])));
      assert.deepEqual(new Set(Object.values(states)), new Set(['done']), JSON.stringify(states));
      assert.doesNotMatch(await page.locator('main').innerText(), /could not be drawn|undefined|\[object/);
    },
  },
  {
    name: 'variables that wait for each other end, and repeats are bounded by what is in view',
    fixture: true,
    async test({ page, url }) {
      let asked = 0;
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && (asked += r.postDataJSON().queries.length));
      await page.goto(`${url}/d/cyclic/x`);
      await idle(page);
      await page.getByText('Panel of acme').first().waitFor();
      assert.ok((await page.locator('.panel').count()) >= 1000, 'a panel for each value');
      assert.ok(asked < 60, `asked ${asked}`);
    },
  },
  {
    name: 'five thousand panels open: those near the view are mounted and ask, the others are boxes with a title',
    fixture: true,
    async test({ page, url }) {
      let asked = 0;
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && (asked += r.postDataJSON().queries.length));
      const started = performance.now();
      await page.goto(`${url}/d/five-thousand/x`);
      await page.locator('.panel canvas').first().waitFor();
      console.log(`      first graph after ${Math.round(performance.now() - started)} ms`);
      assert.equal(await page.locator('.panel').count(), 5000);
      const mounted = () => page.locator('.panel > header').count();
      assert.ok((await mounted()) < 80, `${await mounted()} mounted`);
      const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
      assert.ok(nodes < 3 * 5000 + 4000, `${nodes} nodes`);
      const last = page.locator('.panel').nth(4999);
      assert.equal(await last.locator('h2').innerText(), await last.getAttribute('aria-label'), 'a search in the page finds it');
      assert.ok(asked < 30, `asked ${asked}`);
      await page.locator('.panel').nth(4990).scrollIntoViewIfNeeded();
      await page.waitForFunction(() => document.querySelectorAll('.panel')[4990].querySelector('canvas'));
      assert.ok(asked < 80, `asked ${asked}`);
      assert.ok((await mounted()) < 200, `${await mounted()} mounted`);
      const far = page.locator('.panel').nth(2500);
      assert.equal(await far.locator('header').count(), 0);
      await far.focus();
      await far.getByRole('button', { name: /^Menu of/ }).and(page.locator(':focus')).waitFor();
    },
  },
  {
    name: 'an answer that is no JSON, and a dashboard that is not there, are said in words',
    fixture: true,
    async test({ page, url }) {
      await page.goto(`${url}/d/no-json/x`);
      await page.getByRole('alert').or(page.locator('.message')).first().waitFor();
      assert.doesNotMatch(await page.locator('main').innerText(), /^\s*$/);
      await page.goto(`${url}/d/not-there/x`);
      await page.getByText(/not found/i).first().waitFor();
    },
  },
];
