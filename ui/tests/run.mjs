// Runs the page tests: node tests/run.mjs [part of a name]. Specs are plain functions in tests/*.spec.mjs.
// Against a real server: SPYGLASS_URL=http://127.0.0.1:3005 node tests/run.mjs; specs that need the fixture are left out then, and those that need a real server otherwise.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launchBrowser, startServer } from './browser.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const only = process.argv[2] ?? '';
const server = await startServer();
const browser = await launchBrowser();
let failed = 0;
let ran = 0;
try {
  for (const file of readdirSync(here).filter((f) => f.endsWith('.spec.mjs')).sort()) {
    const { specs } = await import(pathToFileURL(join(here, file)).href);
    for (const spec of specs) {
      if (!spec.name.includes(only) || (spec.fixture && server.real) || (spec.real && !server.real)) continue;
      await run(spec);
    }
  }
} finally {
  await browser.close();
  server.stop();
}
console.log(`${ran - failed} of ${ran} page tests passed`);
process.exit(failed ? 1 : 0);

async function run(spec) {
  const context = await browser.newContext({ viewport: spec.viewport ?? { width: 1440, height: 900 }, colorScheme: spec.scheme ?? 'dark' });
  const page = await context.newPage();
  // How long a thing may take is not judged here: a machine three times slower, with neighbours, has to pass as well.
  page.setDefaultTimeout(Number(process.env.SPYGLASS_TIMEOUT ?? 90000));
  const problems = [];
  page.on('pageerror', (error) => problems.push(`page error: ${error.message}`));
  const started = performance.now();
  ran += 1;
  try {
    if (spec.loggedIn !== false) await context.request.post(`${server.url}/login`, { data: { user: 'admin', password: process.env.SPYGLASS_PASSWORD ?? 'admin' } });
    await spec.test({ page, context, url: server.url, real: server.real });
    if (problems.length) throw new Error(problems.join('\n'));
    console.log(`ok    ${spec.name} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${spec.name}\n      ${String(error.stack ?? error).split('\n').slice(0, 8).join('\n      ')}`);
    if (process.env.SPYGLASS_SHOTS) await page.screenshot({ path: join(process.env.SPYGLASS_SHOTS, `${spec.name.replace(/\W+/g, '-')}.png`) }).catch(() => {});
  } finally {
    await context.close();
  }
}
