// Starts what a page test needs: Debian's Chromium, and the fixture server unless SPYGLASS_URL names a real one.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url));
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launchBrowser = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ARGS });

/** The address to test against, and how to end what was started. */
export async function startServer() {
  if (process.env.SPYGLASS_URL) return { url: process.env.SPYGLASS_URL.replace(/\/$/, ''), real: true, stop: () => {} };
  const child = spawn(process.execPath, [join(here, '..', 'dev', 'fixture-server.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => {
      const match = /http:\/\/\S+/.exec(String(data));
      if (match) resolve(match[0]);
    });
    child.on('exit', () => reject(new Error('the fixture server ended')));
  });
  return { url, real: false, stop: () => child.kill() };
}
