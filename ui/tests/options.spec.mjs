// Settings of single panels, in the fixture's dashboard of options.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';

async function open(page, url, title) {
  await page.goto(`${url}/d/options/x`);
  const panel = new DashboardPage(page).panel(title);
  await panel.root.scrollIntoViewIfNeeded();
  await panel.shown();
  return panel;
}

export const specs = [
  {
    name: 'a column is made wider with the pointer and with the arrows, and gets back the width it had',
    fixture: true,
    async test({ page, url }) {
      const table = (await open(page, url, 'Signs, frozen, wrapped names')).table();
      const before = await table.width('text');
      await table.dragEdge('text', 60);
      assert.ok(Math.abs((await table.width('text')) - before - 60) <= 2, `${before} became ${await table.width('text')}`);
      await table.edge('text').focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Shift+ArrowRight');
      assert.ok(Math.abs((await table.width('text')) - before - 100) <= 2);
      await page.keyboard.press('Delete');
      assert.equal(await table.width('text'), before);
    },
  },
  {
    name: 'a frozen column stays in view, has no sorting where the panel says so, and columns say what they hold',
    fixture: true,
    async test({ page, url }) {
      const panel = await open(page, url, 'Signs, frozen, wrapped names');
      const table = panel.table();
      assert.equal(await table.button('name').count(), 0);
      assert.equal(await panel.root.getByRole('img', { name: 'Number' }).count(), 1);
      await panel.root.getByRole('region').evaluate((scroller) => (scroller.scrollLeft = 400));
      const [cell, frame] = [await table.cell('host 0').boundingBox(), await panel.root.boundingBox()];
      assert.ok(cell.x >= frame.x - 1 && cell.x < frame.x + 5, `${cell.x} in ${frame.x}`);
    },
  },
  {
    name: 'rules fold their alerts; alerts of one label stand together',
    fixture: true,
    async test({ page, url }) {
      const byRule = await open(page, url, 'By rule');
      const rule = byRule.root.getByRole('button', { name: /HighLatency/ });
      await rule.getByText('3 alerts').waitFor();
      assert.equal(await byRule.root.getByText('instance=db-1:9100').count(), 0);
      await rule.click();
      await byRule.root.getByText(/instance=db-1:9100/).waitFor();
      await byRule.root.getByText('Down').waitFor();
      const byTeam = new DashboardPage(page).panel('By team');
      const storage = byTeam.root.getByRole('listitem').filter({ has: page.getByRole('button', { name: /team=storage/ }) });
      assert.match(await storage.innerText(), /HighLatency[\s\S]*DiskFull|DiskFull[\s\S]*HighLatency/);
    },
  },
  {
    name: 'the end of a list of lines loads older ones, without doubles',
    fixture: true,
    async test({ page, url }) {
      const asked = [];
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && asked.push(...r.postDataJSON().queries.filter((q) => q.maxLines === 60)));
      const panel = await open(page, url, 'Endless, small');
      assert.equal(await panel.lineCount(), 60);
      assert.equal(asked.length, 1);
      await panel.scrollToEnd();
      await page.waitForFunction(() => [...document.querySelectorAll('.total')].some((t) => parseInt(t.textContent) > 60 && parseInt(t.textContent) < 600));
      assert.ok(asked.length > 1);
    },
  },
  {
    name: 'a graph is compared with the stretch before',
    fixture: true,
    async test({ page, url }) {
      const ranges = [];
      page.on('request', (r) => r.url().endsWith('/api/ds/query') && ranges.push(Number(r.postDataJSON().to)));
      const panel = await open(page, url, 'Values, compared');
      assert.equal(await panel.series().count(), 1);
      ranges.length = 0;
      await panel.root.getByLabel('Compare with').selectOption({ label: 'The week before' });
      await panel.root.getByRole('button', { name: 'all (before)' }).waitFor();
      assert.equal(await panel.series().count(), 2);
      assert.ok(ranges.some((to) => Date.now() - to > 6.9 * 864e5), `asked up to ${ranges}`);
      await panel.root.getByLabel('Compare with').selectOption({ label: 'Nothing' });
      await page.waitForFunction(() => !document.body.innerText.includes('(before)'));
    },
  },
  {
    name: 'on a phone a list of values and a tooltip stay on the page, with names that can be read',
    fixture: true,
    viewport: { width: 390, height: 844 },
    async test({ page, url }) {
      await page.goto(`${url}/d/gallery/x`);
      const panel = new DashboardPage(page).panel('Lines, table legend');
      await panel.shown();
      await page.getByRole('button', { name: 'Tenant: All' }).click();
      const list = await page.getByRole('listbox').boundingBox();
      assert.ok(list.x >= 0 && list.x + list.width <= 390, `${list.x} to ${list.x + list.width}`);
      assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth), 390);
      await page.keyboard.press('Escape');
      await panel.point(0.5, 0.5);
      const name = panel.tooltip().getByText('/api/v1/contacts', { exact: true });
      await name.waitFor();
      assert.ok(await name.evaluate((node) => node.scrollWidth <= node.clientWidth), 'the name is not cut');
      const tip = await panel.tooltip().boundingBox();
      assert.ok(tip.x >= 0 && tip.x + tip.width <= 390);
    },
  },
  {
    name: 'a panel whose field does not exist says which there are',
    fixture: true,
    async test({ page, url }) {
      const panel = await open(page, url, 'No such field');
      await panel.root.getByText('No field is called /^other$/: there are Time, all').waitFor();
    },
  },
  {
    name: 'spans that a panel filters for are all that it shows; a variable of a tracing store says that there is none, and keeps its value',
    fixture: true,
    async test({ page, url }) {
      await page.goto(`${url}/d/traced/x`);
      const dashboard = new DashboardPage(page);
      await page.getByRole('img', { name: /no tracing store in this version/ }).waitFor();
      await page.getByRole('button', { name: 'Service: gateway' }).waitFor();
      const panel = dashboard.panel('Only slow ones of deals');
      await panel.root.scrollIntoViewIfNeeded();
      await panel.trace().rows().first().waitFor();
      const names = await panel.trace().rows().locator('b').allInnerTexts();
      assert.ok(names.length > 2);
      assert.deepEqual([...new Set(names)], ['deals']);
    },
  },
];
