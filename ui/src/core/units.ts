/**
 * Grafana's unit ids and how each prints a number. An unknown id prints as a suffix, as Grafana does.
 * A formatter returns the parts, so that a stat can draw the number large and the unit small.
 */
import { formatDateTime, relativeTime, type TimeZone } from './time';

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
  if (value === 0 || shown >= digits) return text;
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
  const names = IEC.slice(offset).map((p) => ` ${p}${unit}`);
  return scaled(1024, names);
};
const currency = (symbol: string, after = false): Formatter => {
  const inner = scaled(1000, ['', 'K', 'M', 'B', 'T']);
  return (value, decimals, context) => {
    const { text, suffix } = inner(value, decimals, context);
    return after ? { text, suffix: `${suffix}${symbol}` } : { prefix: symbol, text, suffix };
  };
};

const SPANS: readonly (readonly [number, string])[] = [
  [1, 'ns'],
  [1e3, 'µs'],
  [1e6, 'ms'],
  [1e9, 's'],
  [6e10, 'min'],
  [3.6e12, 'hour'],
  [8.64e13, 'day'],
  [6.048e14, 'week'],
  [3.15576e16, 'year'],
];
const PLURALS = new Set(['min', 'hour', 'day', 'week', 'year']);

/** Durations: the largest unit that leaves a number of at least one. `unitNs`: nanoseconds in one unit of the value. */
const span = (unitNs: number): Formatter => (value, decimals) => {
  const abs = Math.abs(value * unitNs);
  const first = SPANS.findIndex(([ns]) => ns >= unitNs);
  let index = abs === 0 ? Math.max(0, first) : 0;
  if (abs > 0) while (index < SPANS.length - 1 && abs >= SPANS[index + 1][0] * (1 - 1e-12)) index += 1;
  const [ns, name] = SPANS[index];
  const text = toFixed((value * unitNs) / ns, decimals);
  return { text, suffix: ` ${name}${PLURALS.has(name) && text !== '1' ? 's' : ''}` };
};

/** `1 day, 3 hours`: as many parts as `decimals` + 1. */
const words = (unitSeconds: number): Formatter => (value, decimals) => {
  const names: [string, number][] = [['year', 31536000], ['month', 2628000], ['week', 604800], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1], ['millisecond', 0.001]];
  let rest = Math.abs(value * unitSeconds);
  if (rest === 0) return { text: '0', suffix: unitSeconds < 1 ? ' milliseconds' : ' seconds' };
  const parts: string[] = [];
  let left = (decimals ?? 0) + 1;
  for (const [name, seconds] of names) {
    if (left <= 0) break;
    const count = Math.floor(rest / seconds + 1e-9);
    if (count > 0 || parts.length) {
      left -= 1;
      if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    }
    rest -= count * seconds;
  }
  return { text: parts.join(', ') || toFixed(value, decimals), suffix: value < 0 ? ' ago' : undefined };
};

/** `1 day 03:04:05` */
const clockDays = (unitSeconds: number): Formatter => (value) => {
  const total = Math.floor(Math.abs(value * unitSeconds));
  const days = Math.floor(total / 86400);
  const hms = [Math.floor((total % 86400) / 3600), Math.floor((total % 3600) / 60), total % 60].map((n) => String(n).padStart(2, '0')).join(':');
  return { text: `${value < 0 ? '-' : ''}${days ? `${days} d ` : ''}${hms}` };
};

/** `03h:04m:05s`, cut to the wanted depth. */
const clock = (unitSeconds: number): Formatter => (value, decimals) => {
  const total = Math.abs(value * unitSeconds);
  const p = (n: number, width = 2) => String(Math.floor(n)).padStart(width, '0');
  if (total < 1) return { text: `${p(total * 1000, 3)}ms` };
  const all = [`${p(total / 3600)}h`, `${p((total % 3600) / 60)}m`, `${p(total % 60)}s`, `${p((total % 1) * 1000, 3)}ms`];
  const start = total >= 3600 ? 0 : total >= 60 ? 1 : 2;
  const depth = decimals === null || decimals === undefined ? 4 : start + decimals + 1;
  return { text: all.slice(start, Math.max(start + 1, depth)).join(':') };
};

const choice = (yes: string, no: string): Formatter => (value) => ({ text: value ? yes : no });
const when = (format: (ms: number, context: FormatContext) => string): Formatter => (value, _decimals, context) => ({ text: format(value, context) });
const base = (radix: number, prefix: string): Formatter => (value) => ({ text: `${prefix}${Math.trunc(value).toString(radix).toUpperCase()}` });

const FORMATS: Record<string, Formatter> = {
  none: plain(),
  string: plain(),
  short: scaled(1000, COUNTS),
  sishort: (value, decimals, context) => si('')(value, decimals, context),
  percent: plain('%'),
  percentunit: (value, decimals) => ({ text: toFixed(value * 100, decimals), suffix: '%' }),
  humidity: plain(' %H'),
  dB: plain(' dB'),
  candela: plain(' cd'),
  hex0x: base(16, '0x'),
  hex: base(16, ''),
  sci: (value, decimals) => ({ text: value.toExponential(decimals ?? undefined) }),
  locale: (value, decimals) => ({ text: value.toLocaleString('en-US', { maximumFractionDigits: decimals ?? 3, minimumFractionDigits: decimals ?? 0 }) }),
  pixel: plain(' px'),
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
  ns: span(1),
  µs: span(1e3),
  ms: span(1e6),
  s: span(1e9),
  m: span(6e10),
  h: span(3.6e12),
  d: span(8.64e13),
  dtdurationms: words(0.001),
  dtdurations: words(1),
  dthms: clockDays(1),
  dtdhms: clockDays(1),
  timeticks: clockDays(0.01),
  clockms: clock(0.001),
  clocks: clock(1),
  celsius: plain(' °C'),
  fahrenheit: plain(' °F'),
  kelvin: plain(' K'),
  degree: plain('°'),
  dBm: plain(' dBm'),
  lengthm: si('m'),
  lengthkm: si('m', 1),
  lengthmm: si('m', -1),
  rotrpm: plain(' rpm'),
  rothz: si('Hz'),
};

for (const [id, unit, offset] of [
  ['hertz', 'Hz', 0], ['watt', 'W', 0], ['kwatt', 'W', 1], ['mwatt', 'W', -1], ['megwatt', 'W', 2], ['voltamp', 'VA', 0], ['kvoltamp', 'VA', 1], ['watth', 'Wh', 0], ['kwatth', 'Wh', 1], ['joule', 'J', 0],
  ['amp', 'A', 0], ['mamp', 'A', -1], ['volt', 'V', 0], ['kvolt', 'V', 1], ['mvolt', 'V', -1], ['ohm', 'Ω', 0], ['farad', 'F', 0], ['henry', 'H', 0], ['lumens', 'Lm', 0], ['pascal', 'Pa', 0], ['massg', 'g', 0], ['masskg', 'g', 1],
  ['decbytes', 'B', 0], ['deckbytes', 'B', 1], ['decmbytes', 'B', 2], ['decgbytes', 'B', 3], ['dectbytes', 'B', 4], ['decpbytes', 'B', 5], ['decbits', 'b', 0],
  ['Bps', 'B/s', 0], ['bps', 'b/s', 0], ['KBs', 'B/s', 1], ['MBs', 'B/s', 2], ['GBs', 'B/s', 3], ['TBs', 'B/s', 4], ['Kbits', 'b/s', 1], ['Mbits', 'b/s', 2], ['Gbits', 'b/s', 3], ['Tbits', 'b/s', 4], ['pps', 'p/s', 0],
  ['Hs', 'H/s', 0], ['flops', 'FLOPS', 0], ['litre', 'L', 0], ['mlitre', 'L', -1],
] as const) FORMATS[id] = si(unit, offset);

for (const [id, unit, offset] of [
  ['bits', 'b', 0], ['bytes', 'B', 0], ['kbytes', 'B', 1], ['mbytes', 'B', 2], ['gbytes', 'B', 3], ['tbytes', 'B', 4], ['pbytes', 'B', 5],
  ['binBps', 'B/s', 0], ['binbps', 'b/s', 0], ['KiBs', 'B/s', 1], ['MiBs', 'B/s', 2], ['GiBs', 'B/s', 3], ['TiBs', 'B/s', 4], ['Kibits', 'b/s', 1], ['Mibits', 'b/s', 2], ['Gibits', 'b/s', 3],
] as const) FORMATS[id] = iec(unit, offset);

for (const [id, unit] of [
  ['cps', 'c/s'], ['ops', 'ops/s'], ['reqps', 'req/s'], ['rps', 'rd/s'], ['wps', 'wr/s'], ['iops', 'io/s'], ['eps', 'evt/s'], ['mps', 'msg/s'], ['recps', 'rec/s'], ['rowsps', 'rows/s'],
  ['cpm', 'c/m'], ['opm', 'ops/m'], ['reqpm', 'req/m'], ['rpm', 'rd/m'], ['wpm', 'wr/m'], ['epm', 'evts/m'], ['mpm', 'msgs/m'],
] as const) FORMATS[id] = counted(unit);

for (const [id, symbol, after] of [
  ['currencyUSD', '$'], ['currencyGBP', '£'], ['currencyEUR', '€'], ['currencyJPY', '¥'], ['currencyCHF', 'CHF'], ['currencyINR', '₹'], ['currencyBTC', '₿'], ['currencyBRL', 'R$'], ['currencySEK', 'kr', true], ['currencyRUB', '₽'], ['currencyKRW', '₩'],
] as [string, string, boolean?][]) FORMATS[id] = currency(symbol, after);

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
    if (kind === 'suffix') return plain(rest);
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

/** moment's tokens: YYYY MM DD HH mm ss SSS. */
function formatPattern(ms: number, pattern: string, zone: TimeZone): string {
  const text = formatDateTime(ms, zone, true);
  const parts: Record<string, string> = { YYYY: text.slice(0, 4), MM: text.slice(5, 7), DD: text.slice(8, 10), HH: text.slice(11, 13), mm: text.slice(14, 16), ss: text.slice(17, 19), SSS: text.slice(20, 23) };
  return pattern.replace(/YYYY|MM|DD|HH|mm|ss|SSS/g, (token) => parts[token]);
}

/** Join the parts. */
export function formattedText(f: Formatted): string {
  return `${f.prefix ?? ''}${f.text}${f.suffix ?? ''}`;
}

export function formatValue(value: number, unit: string | undefined, decimals?: number | null, context: FormatContext = { zone: 'browser', now: Date.now() }): string {
  return formattedText(unitFormatter(unit)(value, decimals, context));
}
