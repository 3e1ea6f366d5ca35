/**
 * Grafana's unit ids and how each prints a number. An unknown id prints as a suffix, as Grafana does.
 * A formatter returns the parts, so that a stat can draw the number large and the unit small.
 */
import { formatDateTime, relativeTime, type TimeZone } from './time';
import { formatPattern } from './timePattern';
import { COUNTED, CURRENCIES, IEC_UNITS, PLAIN, SI_UNITS } from './unitTables';

export interface Formatted {
  text: string;
  /** Currency signs and the like. */
  prefix?: string;
  /** With its leading space, where there is one. */
  suffix?: string;
}

export interface FormatContext {
  zone: TimeZone;
  /** Epoch ms; for units that count from now. */
  now: number;
}

type Formatter = (value: number, decimals: number | null | undefined, context: FormatContext) => Formatted;

/** Digits after the point that show about three significant ones; none for whole numbers. */
export function autoDecimals(value: number): number {
  const abs = Math.abs(value);
  if (abs === 0 || abs % 1 === 0) return 0;
  const decimals = 1 - Math.floor(Math.log10(abs));
  return Math.max(0, abs * 10 ** decimals > 2.25 ? decimals + 1 : decimals);
}

/** Fixed-point text; `decimals` absent: as many as `autoDecimals` says. */
export function toFixed(value: number, decimals?: number | null): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
  const digits = Math.min(20, decimals ?? autoDecimals(value));
  const factor = 10 ** Math.max(0, digits);
  const rounded = Math.round(value * factor) / factor;
  const text = String(Object.is(rounded, -0) ? 0 : rounded);
  if (text.includes('e')) return text;
  const shown = text.includes('.') ? text.length - text.indexOf('.') - 1 : 0;
  if (shown >= digits) return text;
  return `${text}${shown === 0 ? '.' : ''}${'0'.repeat(digits - shown)}`;
}

const plain = (suffix?: string): Formatter => (value, decimals) => ({ text: toFixed(value, decimals), suffix });

/** Divides by `factor` until the number is below it; `names[0]` is the unscaled suffix. */
function scaled(factor: number, names: readonly string[], offset = 0): Formatter {
  return (value, decimals) => {
    let step = offset;
    let v = value;
    if (Number.isFinite(v)) {
      while (Math.abs(v) >= factor && step < names.length - 1) {
        v /= factor;
        step += 1;
      }
      while (v !== 0 && Math.abs(v) < 1 && step > 0) {
        v *= factor;
        step -= 1;
      }
    }
    return { text: toFixed(v, decimals), suffix: names[step] };
  };
}

const COUNTS = ['', ' K', ' Mil', ' Bil', ' Tri', ' Quadr', ' Quint', ' Sext', ' Sept'];
const SI = ['f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SI_BASE = 5;
const IEC = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi'];

/** Counts of things: `1.50 K req/s`. */
const counted = (unit: string): Formatter => scaled(1000, ['', 'K', 'M', 'B', 'T'].map((p) => (p ? `${p} ${unit}` : ` ${unit}`)));
const si = (unit: string, offset = 0): Formatter => {
  const names = SI.map((p) => ` ${p}${unit}`);
  return (value, decimals, context) => (value === 0 ? { text: toFixed(0, decimals), suffix: names[SI_BASE + offset] } : scaledSI(names, SI_BASE + offset)(value, decimals, context));
};
const scaledSI = (names: string[], offset: number): Formatter => scaled(1000, names, offset);
const iec = (unit: string, offset = 0): Formatter => {
  const names = IEC.map((p) => ` ${p}${unit}`);
  return (value, decimals, context) => (value === 0 ? { text: toFixed(0, decimals), suffix: names[offset] } : scaled(1024, names, offset)(value, decimals, context));
};
const currency = (symbol: string, after = false): Formatter => {
  const inner = scaled(1000, ['', 'K', 'M', 'B', 'T']);
  return (value, decimals, context) => {
    const { text, suffix } = inner(Math.abs(value), decimals, context);
    const sign = value < 0 ? '-' : '';
    return after ? { text: sign + text, suffix: `${suffix}${symbol}` } : { prefix: sign + symbol, text, suffix };
  };
};

/** Limit, divisor, name: a value whose size is below the limit is divided and gets the name. Grafana's, each unit its own. */
type Span = readonly [limit: number, divisor: number, name: string];

const SPANS: Record<string, readonly Span[]> = {
  ns: [[1e3, 1, 'ns'], [1e6, 1e3, 'µs'], [1e9, 1e6, 'ms'], [6e10, 1e9, 's'], [3.6e12, 6e10, 'min'], [8.64e13, 3.6e12, 'hour'], [Infinity, 8.64e13, 'day']],
  µs: [[1e3, 1, 'µs'], [1e6, 1e3, 'ms'], [Infinity, 1e6, 's']],
  ms: [[1e3, 1, 'ms'], [6e4, 1e3, 's'], [3.6e6, 6e4, 'min'], [8.64e7, 3.6e6, 'hour'], [3.1536e10, 8.64e7, 'day'], [Infinity, 3.1536e10, 'year']],
  s: [[1e-6, 1e-9, 'ns'], [1e-3, 1e-6, 'µs'], [1, 1e-3, 'ms'], [60, 1, 's'], [3600, 60, 'min'], [86400, 3600, 'hour'], [604800, 86400, 'day'], [31536000, 604800, 'week'], [Infinity, 3.15569e7, 'year']],
  m: [[60, 1, 'min'], [1440, 60, 'hour'], [10080, 1440, 'day'], [604800, 10080, 'week'], [Infinity, 5.25948e5, 'year']],
  h: [[24, 1, 'hour'], [168, 24, 'day'], [8760, 168, 'week'], [Infinity, 8760, 'year']],
  d: [[7, 1, 'day'], [365, 7, 'week'], [Infinity, 365, 'year']],
};
/** Their own names stay as they are: `10 min`, but `10 mins` for 600 s. */
const SINGULAR = new Set(['m/min', 'h/hour']);
const PLURALS = new Set(['min', 'hour', 'day', 'week', 'year']);

/** Durations: the largest unit that leaves a number of at least one. `factor`: how many of the unit one of the value is. */
const span = (unit: string, factor = 1): Formatter => (raw, decimals) => {
  const value = raw * factor;
  if (value === 0 && unit === 's') return { text: '0', suffix: ' s' };
  const [, divisor, name] = SPANS[unit].find(([limit]) => Math.abs(value) < limit) ?? SPANS[unit].at(-1)!;
  const amount = value / divisor;
  return { text: toFixed(amount, decimals), suffix: ` ${name}${PLURALS.has(name) && Math.abs(amount) > 1 && !SINGULAR.has(`${unit}/${name}`) ? 's' : ''}` };
};

/** `1 day, 3 hours`: as many parts as `decimals` + 1. */
const words = (unitSeconds: number): Formatter => (value, decimals) => {
  const names: [string, number][] = [['year', 31536000], ['month', 2592000], ['week', 604800], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1], ['millisecond', 0.001]];
  let rest = Math.abs(value * unitSeconds);
  if (rest === 0) return { text: '0', suffix: unitSeconds < 1 ? ' milliseconds' : ' seconds' };
  const parts: string[] = [];
  let left = (decimals ?? 0) + 1;
  for (const [name, seconds] of names) {
    if (left <= 0) break;
    const count = Math.floor(rest / seconds + 1e-9);
    if (count > 0 || parts.length) {
      left -= 1;
      parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    }
    rest -= count * seconds;
  }
  return { text: parts.join(', ') || toFixed(value, decimals), suffix: value < 0 ? ' ago' : undefined };
};

/** `27:46:40`, or `1 d 03:46:40` with days apart; negative ones are `ago`. */
const hoursMinutes = (days: boolean): Formatter => (value) => {
  const total = Math.floor(Math.abs(value));
  const whole = days ? Math.floor(total / 86400) : 0;
  const hms = [Math.floor((total - whole * 86400) / 3600), Math.floor((total % 3600) / 60), total % 60].map((n) => String(n).padStart(2, '0')).join(':');
  return { text: `${whole ? `${whole} d ` : ''}${hms}`, suffix: value < 0 ? ' ago' : undefined };
};

/** `3h:04m:05s`, cut to the wanted depth. */
const clock = (unitMs: number): Formatter => (value, decimals) => {
  const ms = Math.abs(value * unitMs);
  const p = (n: number, width = 2) => String(Math.floor(n)).padStart(width, '0');
  if (ms < 1000) return { text: `${p(ms, 3)}ms` };
  const all = [`${Math.floor(ms / 3.6e6)}h`, `${p((ms % 3.6e6) / 6e4)}m`, `${p((ms % 6e4) / 1000)}s`, `${p(ms % 1000, 3)}ms`];
  const start = ms >= 3.6e6 ? 0 : ms >= 6e4 ? 1 : 2;
  const depth = decimals === null || decimals === undefined ? 4 : start + decimals + 1;
  return { text: all.slice(start, Math.max(start + 1, depth)).join(':') };
};

const choice = (yes: string, no: string): Formatter => (value) => ({ text: value ? yes : no });
const when = (format: (ms: number, context: FormatContext) => string): Formatter => (value, _decimals, context) => ({ text: format(value, context) });
const hex = (prefix: string): Formatter => (value, decimals) => {
  const rounded = Number(toFixed(value, decimals));
  return { text: `${rounded < 0 ? '-' : ''}${prefix}${Math.abs(rounded).toString(16).toUpperCase()}` };
};

const FORMATS: Record<string, Formatter> = {
  none: plain(),
  string: (value) => ({ text: String(value) }),
  short: scaled(1000, COUNTS),
  percentunit: (value, decimals) => ({ text: toFixed(value * 100, decimals), suffix: '%' }),
  hex0x: hex('0x'),
  hex: hex(''),
  pressurepsi: scaled(1000, ['psi', 'ksi', 'Mpsi']),
  sci: (value, decimals) => ({ text: value.toExponential(decimals ?? undefined) }),
  locale: (value, decimals) => ({ text: value.toLocaleString('en-US', { maximumFractionDigits: decimals ?? undefined }) }),
  bool: choice('True', 'False'),
  bool_yes_no: choice('Yes', 'No'),
  bool_on_off: choice('On', 'Off'),
  dateTimeAsIso: when((ms, c) => formatDateTime(ms, c.zone)),
  dateTimeAsIsoNoDateIfToday: when((ms, c) => todayShort(ms, c)),
  dateTimeAsUS: when((ms, c) => formatDateTime(ms, c.zone)),
  dateTimeAsUSNoDateIfToday: when((ms, c) => todayShort(ms, c)),
  dateTimeAsLocal: when((ms, c) => formatDateTime(ms, c.zone)),
  dateTimeAsSystem: when((ms, c) => formatDateTime(ms, c.zone)),
  dateTimeFromNow: when((ms, c) => relativeTime(ms, c.now)),
  ns: span('ns'),
  µs: span('µs'),
  ms: span('ms'),
  s: span('s'),
  m: span('m'),
  h: span('h'),
  d: span('d'),
  dtdurationms: words(0.001),
  dtdurations: words(1),
  dthms: hoursMinutes(false),
  dtdhms: hoursMinutes(true),
  timeticks: span('s', 0.01),
  clockms: clock(1),
  clocks: clock(1000),
};

const lines = (table: string) => table.trim().split('\n').map((line) => line.split(' '));
for (const [id, suffix] of lines(PLAIN)) FORMATS[id] = plain(suffix.replaceAll('_', ' '));
for (const [id, unit, power] of lines(SI_UNITS)) FORMATS[id] = si(unit === '-' ? '' : unit, Number(power));
for (const [id, unit, power] of lines(IEC_UNITS)) FORMATS[id] = iec(unit, Number(power));
for (const [id, unit] of lines(COUNTED)) FORMATS[id] = counted(unit);
for (const [id, symbol, after] of lines(CURRENCIES)) FORMATS[id] = currency(symbol, after === 'after');

function todayShort(ms: number, context: FormatContext): string {
  const full = formatDateTime(ms, context.zone);
  return full.slice(0, 10) === formatDateTime(context.now, context.zone).slice(0, 10) ? full.slice(11) : full;
}

/** The formatter of a unit id, including `prefix:`, `suffix:`, `time:`, `si:`, `count:` and `currency:` forms. */
export function unitFormatter(id: string | undefined): Formatter {
  if (!id) return FORMATS.none;
  const known = FORMATS[id];
  if (known) return known;
  const colon = id.indexOf(':');
  if (colon > 0) {
    const [kind, rest] = [id.slice(0, colon), id.slice(colon + 1)];
    if (kind === 'prefix') return (value, decimals) => ({ prefix: rest, text: toFixed(value, decimals) });
    if (kind === 'suffix') return plain(` ${rest}`);
    if (kind === 'time') return when((ms, c) => formatPattern(ms, rest, c.zone));
    if (kind === 'si') return si(rest.replace(/^[kMGTPEmµnpf](?=.)/, ''), siOffset(rest));
    if (kind === 'count') return counted(rest);
    if (kind === 'currency') return currency(rest);
    if (kind === 'bool') return choice(rest.split('/')[0] || '-', rest.split('/')[1] ?? '-');
  }
  return plain(` ${id}`);
}

function siOffset(unit: string): number {
  const index = SI.indexOf(unit.slice(0, 1));
  return unit.length > 1 && index >= 0 && index !== SI_BASE ? index - SI_BASE : 0;
}

/** Join the parts. */
export function formattedText(f: Formatted): string {
  return `${f.prefix ?? ''}${f.text}${f.suffix ?? ''}`;
}

export function formatValue(value: number, unit: string | undefined, decimals?: number | null, context: FormatContext = { zone: 'browser', now: Date.now() }): string {
  return formattedText(unitFormatter(unit)(value, decimals, context));
}
