/** Client-side routes: the address bar is the state. */

class Router {
  /** Path of the page that is shown. */
  path = $state(location.pathname);
  /** Its query. A new object each time the address changes. */
  query = $state.raw(new URLSearchParams(location.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#follow(event));
  }

  /** Go to a path of this site, with its query. */
  go(url: string, options: { replace?: boolean } = {}): void {
    if (url === location.pathname + location.search) return;
    history[options.replace ? 'replaceState' : 'pushState'](null, '', url);
    this.#read();
    if (!options.replace) scrollTo(0, 0);
  }

  /** Change query parameters of the page that is shown; null removes one. */
  setQuery(changes: Record<string, string | readonly string[] | null>, options: { replace?: boolean } = {}): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      query.delete(name);
      for (const v of Array.isArray(value) ? value : value === null ? [] : [value as string]) query.append(name, v);
    }
    const text = query.toString();
    const url = this.path + (text ? `?${text}` : '');
    if (url === location.pathname + location.search) return;
    history[options.replace ? 'replaceState' : 'pushState'](null, '', url);
    this.#read();
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  /** Plain clicks on links within the site do not reload the page. */
  #follow(event: MouseEvent): void {
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.origin !== location.origin || link.pathname === '/logout' || link.hasAttribute('download')) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
