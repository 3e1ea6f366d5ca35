/**
 * Time ranges in Grafana's notation: `now-6h`, `now/d`, `now-1d/w`, epoch ms, ISO dates. All times are epoch ms.
 * Rounding is done in the zone that the dashboard names, by way of `Intl`.
 */

export interface RawRange {
  /** As in the URL: `now-6h`, or epoch ms as text. */
  from: string;
  to: string;
}

export interface TimeRange {
  /** Epoch ms, closed. */
  from: number;
  /** Epoch ms, closed. */
  to: number;
}

/** `browser`, `utc`, or an IANA name. */
export type TimeZone = string;

const UNIT_MS: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5, M: 2592e6, y: 31536e6, Q: 7776e6 };

export const QUICK_RANGES: readonly (RawRange & { label: string })[] = [
  { from: 'now-5m', to: 'now', label: 'Last 5 minutes' },
  { from: 'now-15m', to: 'now', label: 'Last 15 minutes' },
  { from: 'now-30m', to: 'now', label: 'Last 30 minutes' },
  { from: 'now-1h', to: 'now', label: 'Last 1 hour' },
  { from: 'now-3h', to: 'now', label: 'Last 3 hours' },
  { from: 'now-6h', to: 'now', label: 'Last 6 hours' },
  { from: 'now-12h', to: 'now', label: 'Last 12 hours' },
  { from: 'now-24h', to: 'now', label: 'Last 24 hours' },
  { from: 'now-2d', to: 'now', label: 'Last 2 days' },
  { from: 'now-7d', to: 'now', label: 'Last 7 days' },
  { from: 'now-30d', to: 'now', label: 'Last 30 days' },
  { from: 'now-90d', to: 'now', label: 'Last 90 days' },
  { from: 'now-6M', to: 'now', label: 'Last 6 months' },
  { from: 'now-1y', to: 'now', label: 'Last 1 year' },
  { from: 'now-1d/d', to: 'now-1d/d', label: 'Yesterday' },
  { from: 'now-2d/d', to: 'now-2d/d', label: 'Day before yesterday' },
  { from: 'now-7d/d', to: 'now-7d/d', label: 'This day last week' },
  { from: 'now-1w/w', to: 'now-1w/w', label: 'Previous week' },
  { from: 'now-1M/M', to: 'now-1M/M', label: 'Previous month' },
  { from: 'now-1y/y', to: 'now-1y/y', label: 'Previous year' },
  { from: 'now/d', to: 'now/d', label: 'Today' },
  { from: 'now/d', to: 'now', label: 'Today so far' },
  { from: 'now/w', to: 'now/w', label: 'This week' },
  { from: 'now/w', to: 'now', label: 'This week so far' },
  { from: 'now/M', to: 'now/M', label: 'This month' },
  { from: 'now/y', to: 'now/y', label: 'This year' },
];

/** `5m`, `1h30m`, `90` (seconds, as Grafana takes bare numbers) to ms; null where it is none. */
export function durationMs(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * 1000;
  let total = 0;
  let rest = trimmed.replace(/^>/, '');
  if (!rest) return null;
  while (rest) {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|M|y)/.exec(rest);
    if (!match) return null;
    total += Number(match[1]) * UNIT_MS[match[2]];
    rest = rest.slice(match[0].length);
  }
  return total;
}

/** Shortest exact text for a duration: 60000 -> `1m`, 90000 -> `90s`, 1500 -> `1500ms`. */
export function formatDuration(ms: number): string {
  for (const unit of ['y', 'w', 'd', 'h', 'm', 's'] as const) if (ms >= UNIT_MS[unit] && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`;
  return `${Math.round(ms)}ms`;
}

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Wall-clock parts of an instant; month is 1 to 12. Of the browser's zone and UTC a `Date` knows them, twenty times faster than `Intl`. */
export function wallClock(ms: number, zone: TimeZone): Parts {
  const d = new Date(ms);
  if (!zone || zone === 'browser') return { year: d.getFullYear(), month: d.getMonth() + 1, day: d.getDate(), hour: d.getHours(), minute: d.getMinutes(), second: d.getSeconds() };
  if (zone === 'utc') return { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(), hour: d.getUTCHours(), minute: d.getUTCMinutes(), second: d.getUTCSeconds() };
  let formatter = formatters.get(zone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
    formatters.set(zone, formatter);
  }
  const parts: Record<string, number> = {};
  for (const part of formatter.formatToParts(ms)) parts[part.type] = Number(part.value);
  return { year: parts.year, month: parts.month, day: parts.day, hour: parts.hour, minute: parts.minute, second: parts.second };
}

/** The instant of a wall-clock time; a time skipped by daylight saving moves forward. */
export function fromWallClock(p: Parts, zone: TimeZone): number {
  const asUtc = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  const offsetAt = (ms: number) => {
    const w = wallClock(ms, zone);
    return Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second) - ms;
  };
  const guess = asUtc - offsetAt(asUtc);
  return asUtc - offsetAt(guess);
}

function shift(ms: number, amount: number, unit: string, zone: TimeZone): number {
  if ('smh'.includes(unit) || unit === 'ms') return ms + amount * UNIT_MS[unit];
  const p = wallClock(ms, zone);
  if (unit === 'd') p.day += amount;
  else if (unit === 'w') p.day += 7 * amount;
  else {
    const months = amount * (unit === 'y' ? 12 : unit === 'Q' ? 3 : 1);
    const total = p.year * 12 + p.month - 1 + months;
    p.year = Math.floor(total / 12);
    p.month = (total % 12) + 1;
    p.day = Math.min(p.day, new Date(Date.UTC(p.year, p.month, 0)).getUTCDate());
  }
  return fromWallClock(p, zone) + (((ms % 1000) + 1000) % 1000);
}

/** Round to the start of the unit (or its last ms). Weeks begin on Monday. */
function roundTo(ms: number, unit: string, zone: TimeZone, up: boolean): number {
  const p = wallClock(ms, zone);
  p.second = 0;
  if (unit === 's') p.second = wallClock(ms, zone).second;
  if (!'sm'.includes(unit)) p.minute = 0;
  if (!'smh'.includes(unit)) p.hour = 0;
  if (unit === 'w') p.day -= (new Date(Date.UTC(p.year, p.month - 1, p.day)).getUTCDay() + 6) % 7;
  if ('MQy'.includes(unit)) p.day = 1;
  if (unit === 'Q') p.month -= (p.month - 1) % 3;
  if (unit === 'y') p.month = 1;
  const start = fromWallClock(p, zone);
  return up ? shift(start, 1, unit, zone) - 1 : start;
}

/** One end of a range to epoch ms; null where the text is no time. `up`: the end of a range, rounded up. */
export function parseTime(text: string, options: { now: number; up?: boolean; zone?: TimeZone }): number | null {
  const { now, up = false, zone = 'browser' } = options;
  const trimmed = text.trim();
  if (/^-?\d{9,}$/.test(trimmed)) return Number(trimmed);
  if (!trimmed.startsWith('now')) return parseAbsolute(trimmed, zone);
  let ms = now;
  let rest = trimmed.slice(3);
  while (rest) {
    const match = /^([+-])(\d+)?(ms|[smhdwMyQ])|^\/(f?)([smhdwMyQ])/.exec(rest);
    if (!match) return null;
    if (match[1]) ms = shift(ms, Number(`${match[1]}${match[2] ?? 1}`), match[3], zone);
    else ms = roundTo(ms, match[5], zone, up);
    rest = rest.slice(match[0].length);
  }
  return ms;
}

function parseAbsolute(text: string, zone: TimeZone): number | null {
  const match = /^(\d{4})-(\d\d?)(?:-(\d\d?))?(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?$/.exec(text);
  if (match) {
    const n = (i: number, otherwise: number) => (match[i] === undefined ? otherwise : Number(match[i]));
    return fromWallClock({ year: n(1, 1970), month: n(2, 1), day: n(3, 1), hour: n(4, 0), minute: n(5, 0), second: n(6, 0) }, zone);
  }
  const compact = /^(\d{4})(\d\d)(\d\d)T?(\d\d)?(\d\d)?(\d\d)?$/.exec(text);
  if (compact) return parseAbsolute(`${compact[1]}-${compact[2]}-${compact[3]} ${compact[4] ?? '00'}:${compact[5] ?? '00'}:${compact[6] ?? '00'}`, zone);
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

/** Both ends; falls back to the last hour where the text is no range, and swaps ends that are reversed. */
export function resolveRange(raw: RawRange, now: number, zone: TimeZone = 'browser'): TimeRange {
  const from = parseTime(raw.from, { now, zone }) ?? now - UNIT_MS.h;
  const to = parseTime(raw.to, { now, zone, up: true }) ?? now;
  return from <= to ? { from, to } : { from: to, to: from };
}

export function isRelative(raw: RawRange): boolean {
  return raw.to.includes('now') || raw.from.includes('now');
}

const pad = (n: number, width = 2) => String(n).padStart(width, '0');

/** `2026-11-23 14:03:05`, with `.123` on request. */
export function formatDateTime(ms: number, zone: TimeZone = 'browser', withMs = false): string {
  if (!Number.isFinite(ms)) return '';
  const p = wallClock(ms, zone);
  const fraction = withMs ? `.${pad(((ms % 1000) + 1000) % 1000, 3)}` : '';
  return `${pad(p.year, 4)}-${pad(p.month)}-${pad(p.day)} ${pad(p.hour)}:${pad(p.minute)}:${pad(p.second)}${fraction}`;
}

/** What the range button says. */
export function describeRange(raw: RawRange, zone: TimeZone = 'browser'): string {
  const quick = QUICK_RANGES.find((q) => q.from === raw.from && q.to === raw.to);
  if (quick) return quick.label;
  const simple = /^now-(\d+)([smhdwMy])$/.exec(raw.from);
  if (simple && raw.to === 'now') {
    const names: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', M: 'month', y: 'year' };
    return `Last ${simple[1]} ${names[simple[2]]}${simple[1] === '1' ? '' : 's'}`;
  }
  const end = (text: string) => (/^\d+$/.test(text) ? formatDateTime(Number(text), zone) : text);
  return `${end(raw.from)} to ${end(raw.to)}`;
}

/** Pairs of limit and step, ms: an exact step below the limit is rounded to the step. Grafana's table, so that steps agree with its own. */
const NICE_STEPS: readonly (readonly [number, number])[] = [
  [10, 1], [15, 10], [35, 20], [75, 50], [150, 100], [350, 200], [750, 500], [1500, 1e3], [3500, 2e3], [7500, 5e3], [12500, 1e4], [17500, 15e3],
  [25e3, 2e4], [45e3, 3e4], [9e4, 6e4], [21e4, 12e4], [45e4, 3e5], [75e4, 6e5], [105e4, 9e5], [15e5, 12e5], [27e5, 18e5], [54e5, 36e5], [9e6, 72e5],
  [162e5, 108e5], [324e5, 216e5], [864e5, 432e5], [6048e5, 864e5], [18144e5, 6048e5], [36288e5, 2592e6], [Infinity, 31536e6],
];

/** The step for a panel: its share of the range, rounded to a nice step, never below `minMs`. */
export function stepFor(range: TimeRange, maxDataPoints: number, minMs: number): number {
  const exact = Math.max((range.to - range.from) / Math.max(1, maxDataPoints), minMs, 1);
  const nice = NICE_STEPS.find(([limit]) => exact < limit)![1];
  return Math.max(nice, minMs);
}

/** `3 minutes ago`, `in 2 hours`. */
export function relativeTime(ms: number, now: number): string {
  const seconds = Math.round((ms - now) / 1000);
  const abs = Math.abs(seconds);
  const [amount, unit] = abs < 60 ? [seconds, 'second'] : abs < 3600 ? [seconds / 60, 'minute'] : abs < 86400 ? [seconds / 3600, 'hour'] : abs < 2592000 ? [seconds / 86400, 'day'] : abs < 31536000 ? [seconds / 2592000, 'month'] : [seconds / 31536000, 'year'];
  return new Intl.RelativeTimeFormat('en', { numeric: 'always' }).format(Math.round(amount as number), unit as Intl.RelativeTimeFormatUnit);
}
