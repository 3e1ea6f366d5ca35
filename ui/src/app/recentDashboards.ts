/** The dashboards that were opened last in this browser, the newest first. */

export interface RecentDashboard {
  uid: string;
  title: string;
  /** `/d/uid/slug` */
  url: string;
}

const KEY = 'spyglass.recent';
const MOST = 20;

export function recentDashboards(): RecentDashboard[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.filter((d): d is RecentDashboard => typeof d?.uid === 'string' && typeof d.title === 'string' && /^\/(?![/\\])/.test(d.url)) : [];
  } catch {
    return [];
  }
}

export function rememberDashboard(opened: RecentDashboard): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([opened, ...recentDashboards().filter((d) => d.uid !== opened.uid)].slice(0, MOST)));
  } catch {
    // Storage may be forbidden or full; the list is then not kept.
  }
}
