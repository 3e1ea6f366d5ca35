// Screenshots for looking at: node dev/shots.mjs OUTDIR [name...]. Uses the fixture server, or SPYGLASS_URL.
import { mkdirSync } from 'node:fs';
import { launchBrowser, startServer } from '../tests/browser.mjs';

const [out = '/tmp/shots', ...only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const LOGS = encodeURIComponent('{job="backend"}');
const METRICS = encodeURIComponent('sum by (endpoint) (rate(http_requests_total[5m]))');
const PAGES = {
  login: { path: '/login', out: true },
  dashboards: { path: '/dashboards' },
  clientforge: { path: '/d/clientforge-backend/x', hover: '.u-over' },
  gallery: { path: '/d/gallery/x', tall: 2150 },
  edges: { path: '/d/gallery/x', tall: 2600, click: 'button.row >> text=Edges' },
  explore: { path: `/explore?datasource=prometheus&expr=${METRICS}` },
  explorelogs: { path: `/explore?datasource=loki&expr=${LOGS}`, click: '.toggle >> nth=2' },
  exploreempty: { path: '/explore' },
  exploreerror: { path: '/explore?datasource=prometheus&expr=sum(boom' },
  targets: { path: '/targets' },
  shared: { path: '/d/shared/x', hover: '.u-over' },
  traced: { path: '/d/traced/x', tall: 1600, click: '[role=row] >> nth=2' },
  options: { path: '/d/options/x', tall: 2400 },
  connected: { path: '/d/connected/x' },
  time: { path: '/d/clientforge-backend/x', click: '.main' },
};
const SIZES = { wide: 1600, narrow: 390 };
const server = await startServer();
const browser = await launchBrowser();
try {
  for (const scheme of ['dark', 'light'])
    for (const [size, width] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
      await context.request.post(`${server.url}/login`, { data: { user: 'admin', password: 'admin' } });
      for (const [name, { path, tall, out: outside, click, hover }] of Object.entries(PAGES)) {
        const id = `${name}-${scheme}-${size}`;
        if (only.length && !only.some((o) => id.startsWith(o) && (o.includes('-') || o === name))) continue;
        const page = await context.newPage();
        page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(id, m.text()));
        page.on('pageerror', (e) => console.log(id, e.message));
        if (tall) await page.setViewportSize({ width, height: size === 'wide' ? tall : tall * 2 });
        if (outside) await context.clearCookies();
        await page.goto(server.url + path);
        await page.waitForLoadState('networkidle');
        if (click) await page.click(click, { timeout: 3000 }).catch((e) => console.log(id, e.message.split('\n')[0]));
        if (hover) await page.hover(hover, { timeout: 3000 }).catch((e) => console.log(id, e.message.split('\n')[0]));
        await page.waitForTimeout(400);
        await page.screenshot({ path: `${out}/${id}.png` });
        await page.close();
        if (outside) await context.request.post(`${server.url}/login`, { data: { user: 'admin', password: 'admin' } });
      }
      await context.close();
    }
} finally {
  await browser.close();
  server.stop();
}
