/** Addresses that come with data: only http, https, mailto and this site's own may be followed. */
export function safeUrl(url: string): string | undefined {
  // eslint-disable-next-line no-control-regex
  const trimmed = url.replace(/[\u0000-\u0020]+/g, (s) => (s.trim() === s && s.includes(' ') ? '%20' : '')).trim();
  if (!trimmed) return undefined;
  if (/^(https?:|mailto:)/i.test(trimmed)) return trimmed;
  return /^[a-z][a-z0-9+.-]*:/i.test(trimmed) ? undefined : trimmed;
}
