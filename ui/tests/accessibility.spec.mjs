// axe-core on every page, both themes, wide and narrow: nothing serious.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = { login: '/login', dashboards: '/dashboards', dashboard: '/d/clientforge-backend/x', gallery: '/d/gallery/x', traced: '/d/traced/x', options: '/d/options/x', explore: '/explore', metrics: '/explore?datasource=prometheus&expr=up', logs: `/explore?datasource=loki&expr=${encodeURIComponent('{job="backend"}')}`, targets: '/targets' };

const NARROW = new Set(['login', 'dashboard', 'logs', 'targets']);

export const specs = ['dark', 'light'].flatMap((scheme) =>
  [1440, 390].map((width) => ({
    name: `axe finds nothing serious, ${scheme}, ${width} px`,
    fixture: true,
    scheme,
    viewport: { width, height: width > 800 ? 2600 : 2000 },
    async test({ page, url }) {
      const found = [];
      for (const [name, path] of Object.entries(PAGES)) {
        if (width < 800 && !NARROW.has(name)) continue;
        await page.goto(url + path);
        await page.waitForLoadState('networkidle');
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
        for (const v of violations.filter((x) => ['serious', 'critical'].includes(x.impact))) found.push(`${name}: ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.any?.[0]?.message ?? ''}`).join(' | ')} (${v.nodes.length})`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 1) found.push(`${name}: scrolls sideways by ${overflow} px`);
      }
      assert.deepEqual(found, []);
    },
  })),
);
