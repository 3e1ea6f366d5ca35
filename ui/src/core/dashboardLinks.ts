/** Links of a dashboard: fixed ones, and the dashboards that carry some tags. */
import { fillUrl } from './dataLinks';
import type { DashboardLink } from './dashboard';
import type { Scope } from './interpolate';
import { safeUrl } from './links';
import type { RawRange } from './time';

export interface LinkContext {
  scope: Scope;
  raw: RawRange;
  /** Name and selected values of every variable; `All` for all. */
  selected: readonly (readonly [string, readonly string[]])[];
}

/** The address with range and variables where the link keeps them; undefined where it may not be followed. */
export function dashboardLinkUrl(url: string, link: Pick<DashboardLink, 'keepTime' | 'includeVars'>, context: LinkContext): string | undefined {
  const extra = new URLSearchParams();
  if (link.keepTime) {
    extra.set('from', context.raw.from);
    extra.set('to', context.raw.to);
  }
  if (link.includeVars) for (const [name, values] of context.selected) for (const value of values) extra.append(`var-${name}`, value);
  const [address, hash] = fillUrl(url, context.scope).split(/(?=#)/, 2);
  return safeUrl(`${address}${extra.size ? `${address.includes('?') ? '&' : '?'}${extra}` : ''}${hash ?? ''}`);
}
