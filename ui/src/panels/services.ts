/** What the few panels that show the server's own state ask for; the page answers, through `api/`. Given by Svelte's context. */
export const SEARCH = Symbol('search');
export const RECENT = Symbol('recent');
export const ALERTS = Symbol('alerts');

export interface ListedDashboard {
  uid: string;
  title: string;
  /** `/d/uid/slug` */
  url: string;
  folderTitle?: string;
}

export type Search = (options: { query: string; tags: string[]; starred?: boolean; folderUid?: string }) => Promise<ListedDashboard[]>;
/** Opened last in this browser. */
export type Recent = () => ListedDashboard[];

export interface AlertRow {
  name: string;
  state: 'firing' | 'pending' | 'inactive';
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** Of the file that the rule is in. */
  folder: string;
  /** Epoch ms; absent while inactive. */
  activeAt?: number;
}

/** Of a datasource, by its uid or name; absent: of the first that has alerts. */
export type Alerts = (datasource?: string) => Promise<AlertRow[]>;
