// Traces and node graphs, from data that the dashboard holds.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';

async function open(page, url) {
  await page.goto(`${url}/d/traced/x`);
  return new DashboardPage(page);
}

export const specs = [
  {
    name: 'a trace is read with the keyboard alone: move, fold, open, find',
    fixture: true,
    async test({ page, url }) {
      const asked = [];
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && asked.push(r.url()));
      const trace = (await open(page, url)).panel('A request').trace();
      await trace.rows().first().waitFor();
      await trace.focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowLeft');
      assert.equal(await trace.current().getAttribute('aria-expanded'), 'false');
      const folded = await trace.count();
      await page.keyboard.press('ArrowRight');
      assert.ok((await trace.count()) > folded);
      await page.keyboard.press('Enter');
      await trace.details().waitFor();
      assert.match(await trace.details().innerText(), /tenant\s+acme/);
      await page.keyboard.press('Escape');
      await trace.details().waitFor({ state: 'hidden' });
      await trace.find('deadline exceeded');
      await page.keyboard.press('Enter');
      assert.equal(await trace.current().getByRole('img', { name: 'Error' }).count(), 1);
      assert.deepEqual(asked, []);
    },
  },
  {
    name: 'a trace of four thousand spans has only those in view in the page',
    fixture: true,
    async test({ page, url }) {
      const panel = (await open(page, url)).panel('Large trace');
      await panel.root.scrollIntoViewIfNeeded();
      const trace = panel.trace();
      await trace.rows().first().waitFor();
      assert.ok((await trace.rows().count()) < 40);
      await trace.focus();
      await page.keyboard.press('End');
      await page.waitForFunction(() => [...document.querySelectorAll('[role=row]')].some((r) => r.getAttribute('aria-rowindex') === '4000'));
    },
  },
  {
    name: 'a node graph shows all of itself, scales and moves by keys, and tells about a node',
    fixture: true,
    async test({ page, url }) {
      const graph = (await open(page, url)).panel('Services').nodeGraph();
      await graph.node(/deals/).waitFor();
      assert.equal(await graph.nodes().count(), 7);
      const before = await graph.node(/deals/).boundingBox();
      await graph.node(/deals/).focus();
      await page.keyboard.press('+');
      const closer = await graph.node(/deals/).boundingBox();
      assert.ok(closer.width > before.width * 1.2);
      await page.keyboard.press('0');
      await page.keyboard.press('Enter');
      const text = await graph.details().innerText();
      assert.match(text, /Succeeded\s+88\.0%/);
      assert.match(text, /→ postgres\s+10\.5 req\/s/);
      assert.match(await graph.details().getByRole('link').getAttribute('href'), /version=1\.2\.0/);
      await page.keyboard.press('Escape');
      await graph.details().waitFor({ state: 'hidden' });
    },
  },
  {
    name: 'a tracing datasource that is not served says so in its panel',
    fixture: true,
    async test({ page, url }) {
      const panel = (await open(page, url)).panel('From Tempo');
      await panel.root.scrollIntoViewIfNeeded();
      assert.match(await panel.message().innerText(), /not served yet: "Tempo"/);
    },
  },
  {
    name: 'Explore asks nothing of a datasource that is not served',
    fixture: true,
    async test({ page, url }) {
      const asked = [];
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && asked.push(r.url()));
      await page.goto(`${url}/explore?datasource=tempo&expr=5b8efff7`);
      await page.getByRole('alert').getByText('“Tempo” is of the kind tempo').waitFor();
      assert.deepEqual(asked, []);
    },
  },
];
