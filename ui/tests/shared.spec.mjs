// The pointer shared by panels, tooltips, exemplars.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';

async function open(page, url) {
  await page.goto(`${url}/d/shared/x`);
  const dashboard = new DashboardPage(page);
  for (const title of ['Latency with exemplars', 'Sorted tooltip', 'States', 'No tooltip']) await dashboard.panel(title).shown();
  return dashboard;
}

export const specs = [
  {
    name: 'a shared tooltip shows on every panel, sorted where it should be, and not where it is off',
    fixture: true,
    async test({ page, url }) {
      const dashboard = await open(page, url);
      await dashboard.panel('No tooltip').point(0.5, 0.5);
      await dashboard.panel('Sorted tooltip').tooltip().waitFor();
      const values = (await dashboard.panel('Sorted tooltip').tooltip().locator('b').allInnerTexts()).map(parseFloat);
      assert.equal(values.length, 4);
      assert.deepEqual(values, values.toSorted((a, b) => b - a));
      await dashboard.panel('States').tooltip().waitFor();
      assert.equal(await dashboard.panel('No tooltip').tooltip().count(), 0);
      await page.mouse.move(5, 5);
      await dashboard.panel('Sorted tooltip').tooltip().waitFor({ state: 'hidden' });
    },
  },
  {
    name: 'an exemplar shows its labels, leads to its trace, and costs no request of its own',
    fixture: true,
    async test({ page, url }) {
      const asked = [];
      page.on('request', (r) => /ds\/query|query_exemplars/.test(r.url()) && asked.push(r.url()));
      const dashboard = await open(page, url);
      assert.equal(asked.length, 1, asked.join(' '));
      const panel = dashboard.panel('Latency with exemplars');
      // The 21st of forty, evenly spaced; its value is looked for from the top down.
      for (let y = 0.02; y < 1; y += 0.02) {
        await panel.point(20.5 / 40, y);
        if (/Exemplar/.test(await panel.tooltip().innerText())) break;
      }
      assert.match(await panel.tooltip().innerText(), /Exemplar[\s\S]*trace_id[\s\S]*endpoint/);
      await page.mouse.down();
      await page.mouse.up();
      assert.match(await panel.link('Open the trace').getAttribute('href'), /^\/explore\?trace=7+/);
    },
  },
  {
    name: 'exemplars are reached with the keyboard alone: from one to the next, and to where one leads',
    fixture: true,
    async test({ page, url }) {
      const panel = (await open(page, url)).panel('Latency with exemplars');
      const exemplars = panel.exemplars();
      assert.equal(await exemplars.getAttribute('aria-valuemax'), '40');
      await exemplars.focus();
      const text = () => exemplars.getAttribute('aria-valuetext');
      await panel.tooltip().getByText('Exemplar').waitFor();
      const first = await text();
      assert.match(first, /trace_id 7+/);
      await page.keyboard.press('ArrowRight');
      assert.equal(await exemplars.getAttribute('aria-valuenow'), '2');
      assert.notEqual(await text(), first);
      const trace = /trace_id (\w+)/.exec(await text())[1];
      assert.match(await panel.tooltip().innerText(), new RegExp(trace), 'what is shown is what is read out');
      await page.keyboard.press('End');
      assert.equal(await exemplars.getAttribute('aria-valuenow'), '40');
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      await panel.link('Open the trace').and(page.locator(':focus')).waitFor();
      assert.equal(await panel.link('Open the trace').getAttribute('href'), `/explore?trace=${trace}`);
      await page.keyboard.press('Escape');
      await exemplars.and(page.locator(':focus')).waitFor();
      assert.equal(await panel.link('Open the trace').count(), 0);
    },
  },
];
