import { defineConfig } from 'vitest/config';

/** Run by `make oracle`, apart from the unit tests: the package that it needs is large, and nothing else needs it. */
export default defineConfig({ test: { include: ['oracle/**/*.oracle.ts'], environment: 'node', testTimeout: 90_000 } });
