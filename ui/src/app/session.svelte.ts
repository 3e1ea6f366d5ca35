/** Who is logged in, and what the server has. */
import { onConnection, onUnauthorized, type ConnectionState } from '../api/client';
import { listDatasources, type Datasource } from '../api/datasources';
import { currentUser, frontendSettings, login, type FrontendSettings, type User } from '../api/session';
import type { DatasourceRef } from '../core/dashboard';
import { findDatasource } from '../core/findDatasource';
import { router } from './router.svelte';

class Session {
  user = $state.raw<User | null>(null);
  settings = $state.raw<FrontendSettings>({});
  datasources = $state.raw<Datasource[]>([]);
  /** False until the first answer is here. */
  ready = $state(false);
  connection = $state<ConnectionState>('up');
  /** Counts how often the server came back: pages that depend on it ask again. */
  epoch = $state(0);

  constructor() {
    onConnection((state) => {
      this.connection = state;
      if (state === 'up') {
        this.epoch += 1;
        if (!this.user) void this.start();
      }
    });
    onUnauthorized(() => {
      this.user = null;
      this.#toLogin();
    });
  }

  async start(): Promise<void> {
    this.settings = await frontendSettings().catch(() => ({}));
    try {
      await this.#load();
    } catch {
      this.#toLogin();
    }
    this.ready = true;
  }

  async login(user: string, password: string): Promise<void> {
    await login(user, password);
    await this.#load();
    const target = router.query.get('redirect') ?? '/';
    // Only paths of this site: `//host` and `/\host` would leave it.
    router.go(/^\/(?![/\\])/.test(target) ? target : '/');
  }

  async #load(): Promise<void> {
    const [user, datasources] = await Promise.all([currentUser(), listDatasources()]);
    this.datasources = datasources;
    this.user = user;
  }

  #toLogin(): void {
    if (router.path === '/login') return;
    const here = location.pathname + location.search;
    router.go(`/login${here === '/' ? '' : `?redirect=${encodeURIComponent(here)}`}`, { replace: true });
  }

  datasource(ref: DatasourceRef | string | undefined): Datasource | undefined {
    return findDatasource(this.datasources, typeof ref === 'string' ? { uid: ref } : ref);
  }
}

export const session = new Session();
