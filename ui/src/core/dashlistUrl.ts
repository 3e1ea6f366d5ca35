/** Addresses of listed dashboards, with the range and the variables of the page where that is wanted. */
import { fillUrl } from './dataLinks';
import type { Scope } from './interpolate';

export function listedUrl(url: string, scope: Scope, keep: { keepTime: boolean; includeVars: boolean }): string {
  const parts = [keep.keepTime && '${__url_time_range}', keep.includeVars && '${__all_variables}'].filter(Boolean) as string[];
  const query = parts.map((p) => fillUrl(p, scope)).filter(Boolean).join('&');
  return query ? `${url}${url.includes('?') ? '&' : '?'}${query}` : url;
}
