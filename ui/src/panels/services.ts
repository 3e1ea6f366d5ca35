/** What the few panels that show the server's own state ask for; the page answers, through `api/`. Given by Svelte's context. */
export const SEARCH = Symbol('search');
export const ALERTS = Symbol('alerts');

export type Search = (options: { query: string; tags: string[] }) => Promise<{ uid: string; title: string; url: string; folderTitle?: string }[]>;

export interface AlertRow {
  name: string;
  state: 'firing' | 'pending' | 'inactive';
  labels: Record<string, string>;
  /** Epoch ms; absent while inactive. */
  activeAt?: number;
}

export type Alerts = () => Promise<AlertRow[]>;
