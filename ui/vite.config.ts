import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The address that `npm run dev` forwards API calls to: a real server, or the fixture server. */
const server = process.env.SPYGLASS_URL ?? 'http://127.0.0.1:3105';

/** Parts that nearly every panel needs come as two scripts: as ten they cost a tenth of the first dashboard's main-thread time. */
const GROUPS = [
  { name: 'base', test: /src\/core\/(exemplars|display|displayName|colors|links|annotations|dataLinks|fieldConfig|units|unitTables|time|frames|interpolate|variables|reduce)\.ts$|src\/api\/dashboards\.ts$/ },
  { name: 'parts', test: /src\/components\/(Legend|Tooltip)\.svelte|src\/(components|panels|core)\/(legendWidth|tooltip|thresholdLines)\.ts$|src\/panels\/timeseries\/(graphOptions|valueAxes|gradients)\.ts$/ },
];

/** Most functions of these run while the first dashboard opens. Chromium reads this first line and compiles them beside the main thread while they arrive; other browsers see a comment. */
const EAGER = new Set(['index', 'base', 'parts', 'DashboardPage', 'TimeseriesPanel']);
const compileEagerly: Plugin = {
  name: 'compile-eagerly',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) if (chunk.type === 'chunk' && EAGER.has(chunk.name)) chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`;
  },
};

export default defineConfig({
  plugins: [svelte(), compileEagerly],
  build: { target: 'es2022', manifest: true, modulePreload: { polyfill: false }, rolldownOptions: { output: { codeSplitting: { includeDependenciesRecursively: false, groups: GROUPS } } } },
  server: { proxy: { '/api': { target: server, ws: true }, '/login': { target: server, bypass: (req) => (req.method === 'POST' ? undefined : '/index.html') }, '/logout': server } },
  // How long a test takes is not judged: machines differ, and have neighbours.
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 90_000 },
});
