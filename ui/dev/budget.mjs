// Fails when the build has grown over its budget. Sizes are KiB after gzip -9; the manifest says what a page loads.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const manifest = JSON.parse(readFileSync(join(dist, '.vite', 'manifest.json'), 'utf8'));
const size = (file) => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024;

/** Every script that a module needs at once: itself and its static imports. */
function closure(keys, seen = new Set()) {
  for (const key of keys) {
    const entry = manifest[key];
    if (!entry) throw new Error(`${key} is not in the manifest`);
    if (seen.has(entry.file)) continue;
    seen.add(entry.file);
    closure(entry.imports ?? [], seen);
  }
  return seen;
}

/** The manifest's key of a module; one that others import statically too is listed by its chunk's name. */
function key(path) {
  const name = path.split('/').at(-1).replace(/\.\w+$/, '');
  return Object.keys(manifest).find((k) => k === path) ?? Object.keys(manifest).find((k) => manifest[k].name === name) ?? path;
}

const sum = (files) => [...files].reduce((total, file) => total + size(file), 0);
const shell = closure(['index.html'].map(key));
const first = closure(['index.html', 'src/pages/DashboardPage.svelte', 'src/panels/timeseries/TimeseriesPanel.svelte', 'src/panels/logs/LogsPanel.svelte'].map(key));
const editor = [...closure(['src/components/editor/codemirror.ts'].map(key))].filter((f) => !closure(['index.html', 'src/pages/ExplorePage.svelte'].map(key)).has(f));
const all = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && !e.parentPath.includes('.vite') && !/\.(gz|br)$/.test(e.name)).map((e) => join(e.parentPath, e.name).slice(dist.length + 1));

const rows = [
  ['shell', sum(shell), 45],
  ['first dashboard paint', sum(first), 110],
  ['editors (lazy)', sum(editor), 170],
  ['whole build', sum(all), 600],
];
let over = false;
for (const [name, kib, limit] of rows) {
  over ||= kib > limit;
  console.log(`${kib > limit ? 'OVER ' : 'ok   '} ${name.padEnd(24)} ${kib.toFixed(1).padStart(7)} KiB of ${limit}`);
}
process.exit(over ? 1 : 0);
