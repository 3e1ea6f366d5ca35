import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

/** The address that `npm run dev` forwards API calls to: a real server, or the fixture server. */
const server = process.env.SPYGLASS_URL ?? 'http://127.0.0.1:3105';

export default defineConfig({
  plugins: [svelte()],
  build: { target: 'es2022', manifest: true, modulePreload: { polyfill: false } },
  server: { proxy: { '/api': { target: server, ws: true }, '/login': { target: server, bypass: (req) => (req.method === 'POST' ? undefined : '/index.html') }, '/logout': server } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
