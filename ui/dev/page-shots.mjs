// Screenshots of given pages of a running server, in both themes, wide and narrow, once every panel in view has its answer.
// Usage: SPYGLASS_URL=http://... node dev/page-shots.mjs OUTDIR '[{"name": "node", "path": "/d/x/x", "height": 1400}, ...]'
// Prints what is odd: panels in error, empty ones, messages of the console.
import { mkdirSync } from 'node:fs';
import { launchBrowser } from '../tests/browser.mjs';

const [out, pages] = [process.argv[2], JSON.parse(process.argv[3])];
const url = process.env.SPYGLASS_URL.replace(/\/$/, '');
const SIZES = { wide: 1600, narrow: 390 };
mkdirSync(out, { recursive: true });
const browser = await launchBrowser();
try {
  for (const scheme of ['dark', 'light'])
    for (const [size, width] of Object.entries(SIZES)) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
      await context.request.post(`${url}/login`, { data: { user: 'admin', password: process.env.SPYGLASS_PASSWORD ?? 'admin' } });
      for (const { name, path, height = 1000, sizes = ['wide', 'narrow'] } of pages) if (sizes.includes(size)) await shoot(context, `${name}-${scheme}-${size}`, path, width, height);
      await context.close();
    }
} finally {
  await browser.close();
}

async function shoot(context, id, path, width, height) {
  const page = await context.newPage();
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && console.log(`${id}: console: ${m.text()}`));
  page.on('pageerror', (e) => console.log(`${id}: page error: ${e.message}`));
  await page.setViewportSize({ width, height });
  await page.goto(url + path);
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => [...document.querySelectorAll('.panel[data-state="loading"]')].every((p) => p.getBoundingClientRect().top > innerHeight + 240), undefined, { timeout: 60000 }).catch(() => console.log(`${id}: panels are still loading`));
  const odd = await page.locator('.panel').evaluateAll((all) => all.filter((p) => !['done', 'loading'].includes(p.dataset.state)).map((p) => `${p.getAttribute('aria-label')}: ${p.dataset.state} ${p.querySelector('.message')?.textContent ?? ''}`));
  for (const line of odd) console.log(`${id}: ${line}`);
  await page.waitForTimeout(300);
  await page.screenshot({ path: `${out}/${id}.png` });
  await page.close();
}
