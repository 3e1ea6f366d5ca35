// What the page must not do: work for what nobody sees, paint what has not changed, wait for what nobody wants. Counted, not timed, so that a busy machine does not matter.
import assert from 'node:assert/strict';
import { DashboardPage } from './pages/pages.mjs';
import { openMeter, Yardstick } from './yardstick.mjs';

/** Of main-thread time (not wall time) a frame while scrolling, on the reference machine: 16.7 ms is a frame at 60 a second, and the rest is for the compositor. */
const SCRIPT_MS = 3;
const FRAME_MS = 8;
const LINES = 100_000;
const SCROLLS = 120;
const NODES = 600;

/** Counts drawing on canvases and changes of the page below panels' bodies. */
const COUNTERS = () => {
  window.drawn = 0;
  for (const name of ['stroke', 'fill', 'clearRect', 'fillRect', 'fillText', 'drawImage', 'putImageData']) {
    const original = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...rest) {
      window.drawn += 1;
      return original.apply(this, rest);
    };
  }
};

/** Everything in view answered, and nothing drawn for a while. */
const settled = async (page) => {
  await page.waitForFunction(() => [...document.querySelectorAll('.panel')].some((p) => p.querySelector('canvas')) && [...document.querySelectorAll('.panel[data-state="loading"]')].every((p) => p.getBoundingClientRect().top > innerHeight + 240));
  await page.evaluate(async () => {
    for (let still = 0, last = -1; still < 10; still = window.drawn === last ? still + 1 : 0) {
      last = window.drawn;
      await new Promise((done) => requestAnimationFrame(done));
    }
  });
};
const queries = (page) => {
  const asked = [];
  page.on('request', (r) => r.url().endsWith('/api/ds/query') && asked.push(r));
  return asked;
};
const atFixed = 'from=1700000000000&to=1700003600000';

export const specs = [
  {
    name: 'a hundred thousand log lines scroll within the time of a frame, and no row is ever missing',
    fixture: true,
    async test({ page, context, url }) {
      await page.goto(`${url}/d/long-log/x`);
      const dashboard = new DashboardPage(page);
      await dashboard.panel('Lines').shown();
      await page.getByRole('region', { name: `Log lines, ${LINES} lines` }).or(page.getByRole('region', { name: `Lines, ${LINES} lines` })).waitFor();
      const yardstick = new Yardstick(context);
      for (let i = 0; i < 3; i++) await yardstick.measure();
      await page.bringToFront();
      const meter = await openMeter(context, page);
      const before = await meter.read();
      const seen = await page.evaluate(async (scrolls) => {
        const scroller = document.querySelector('.scroller');
        const nextFrame = () => new Promise((done) => requestAnimationFrame(done));
        const result = { blank: 0, nodes: 0, frames: 0 };
        for (let i = 0; i < scrolls; i++) {
          // Flings of a few rows, and now and then a jump to anywhere.
          scroller.scrollTop = i % 20 === 19 ? (scroller.scrollHeight * ((i * 37) % 100)) / 100 : scroller.scrollTop + 180;
          await nextFrame();
          await nextFrame();
          result.frames += 2;
          const box = scroller.getBoundingClientRect();
          const rows = [...scroller.querySelectorAll('.row')].map((r) => r.getBoundingClientRect());
          if (!rows.some((r) => r.top <= box.top + 1) || !rows.some((r) => r.bottom >= box.bottom - 1)) result.blank += 1;
          result.nodes = Math.max(result.nodes, scroller.querySelectorAll('*').length);
        }
        return result;
      }, SCROLLS);
      const after = await meter.read();
      for (let i = 0; i < 3; i++) await yardstick.measure();
      const { slowdown } = yardstick;
      const perFrame = (key) => (after[key] - before[key]) / seen.frames;
      console.log(`      script ${perFrame('scriptMs').toFixed(2)} ms and ${perFrame('cpuMs').toFixed(2)} ms in all a frame, on a machine ${slowdown.toFixed(2)} times slower than the reference; ${seen.nodes} nodes`);
      assert.equal(seen.blank, 0, 'frames with rows missing');
      assert.ok(seen.nodes <= NODES, `${seen.nodes} nodes`);
      assert.ok(perFrame('scriptMs') <= SCRIPT_MS * slowdown, `script ${perFrame('scriptMs')} ms a frame`);
      assert.ok(perFrame('cpuMs') <= FRAME_MS * slowdown, `${perFrame('cpuMs')} ms a frame`);
    },
  },
  {
    name: 'a refresh that changes nothing paints nothing',
    fixture: true,
    async test({ page, url }) {
      await page.addInitScript(COUNTERS);
      await page.goto(`${url}/d/twenty/x?${atFixed}`);
      await settled(page);
      const asked = queries(page);
      await page.evaluate(() => {
        window.drawn = 0;
        window.changed = [];
        const observer = new MutationObserver((all) => window.changed.push(...all.map((m) => `${m.type} ${m.target.nodeName}.${m.target.className}`)));
        for (const body of document.querySelectorAll('.panel .body')) observer.observe(body, { subtree: true, childList: true, attributes: true, characterData: true });
      });
      const answered = page.waitForResponse((r) => r.url().endsWith('/api/ds/query'));
      await page.getByRole('button', { name: 'Refresh', exact: true }).click();
      await (await answered).finished();
      await page.waitForFunction(() => !document.querySelector('.panel .progress'));
      assert.ok(asked.length > 0, 'it was asked again');
      assert.deepEqual(await page.evaluate(() => [window.drawn, window.changed]), [0, []]);
    },
  },
  {
    name: 'a refresh that moves the range does paint',
    fixture: true,
    async test({ page, url }) {
      await page.addInitScript(COUNTERS);
      await page.goto(`${url}/d/twenty/x`);
      await settled(page);
      await page.evaluate(() => (window.drawn = 0));
      await page.getByRole('button', { name: 'Refresh', exact: true }).click();
      await page.waitForFunction(() => window.drawn > 0);
    },
  },
  {
    name: 'panels out of the view cost nothing: no query, no canvas, no more than a title',
    fixture: true,
    async test({ page, url }) {
      const asked = queries(page);
      await page.goto(`${url}/d/tall/x?${atFixed}`);
      await settled(page);
      const names = () => asked.flatMap((r) => r.postDataJSON().queries.map((q) => q.expr));
      const far = page.locator('.panel').nth(50);
      const cost = await far.evaluate((p) => ({ canvases: p.querySelectorAll('canvas').length, nodes: p.querySelectorAll('*').length }));
      assert.equal(cost.canvases, 0);
      assert.equal(cost.nodes, 1, 'its title');
      const before = names();
      assert.ok(before.length < 20, `asked ${before.length}`);
      assert.ok(!before.some((e) => e.includes('tall_50)')));
      assert.equal(asked.length, 1, 'one request for one datasource and range');
      await far.scrollIntoViewIfNeeded();
      await page.waitForFunction(() => document.querySelectorAll('.panel')[50].querySelector('canvas'));
      assert.ok(names().some((e) => e.includes('tall_50)')));
      const scrolled = names().length;
      await page.locator('.panel').first().scrollIntoViewIfNeeded();
      await settled(page);
      assert.equal(names().length, scrolled, 'what was answered is not asked again');
    },
  },
  {
    name: 'queries of panels that leave are cancelled: scrolled away, another range, another page',
    fixture: true,
    async test({ page, context, url }) {
      const cancelled = [];
      page.on('requestfailed', (r) => r.url().endsWith('/api/ds/query') && cancelled.push(r.failure().errorText));
      const asked = queries(page);
      const until = (test) => expectSoon(test);
      await context.request.post(`${url}/__fixture`, { data: { slowMs: 60000 } });
      try {
        await page.goto(`${url}/d/tall/x?${atFixed}`);
        await until(() => asked.length === 1);
        await page.locator('.panel').nth(50).scrollIntoViewIfNeeded();
        await until(() => cancelled.length === 1 && asked.length === 2);
        await page.locator('.main').click();
        await page.getByRole('button', { name: 'Last 15 minutes', exact: true }).click();
        await until(() => cancelled.length === 2 && asked.length === 3);
        await page.getByRole('navigation').getByRole('link', { name: 'Explore' }).click();
        await until(() => cancelled.length === 3);
        assert.ok(cancelled.every((text) => text === 'net::ERR_ABORTED'), String(cancelled));
      } finally {
        await context.request.post(`${url}/__fixture`, { data: { slowMs: 0 } });
      }
    },
  },
];

/** Polls, since requests are seen here and not in the page; a minute and a half, as other waits. */
async function expectSoon(test) {
  for (let i = 0; i < 1800; i++) {
    if (test()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail(`not seen: ${test}`);
}
