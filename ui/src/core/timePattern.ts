/** Times in the patterns that dashboards hold, moment's: `YYYY-MM-DD HH:mm:ss`, `MMM D, h:mm a`, texts in brackets. English names. */
import { wallClock, type TimeZone } from './time';

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const TOKENS = /\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DDDD|DDD|DD|Do|D|dddd|ddd|d|HH|H|hh|h|kk|k|mm|m|ss|s|SSS|SS|S|A|a|ZZ|Z|X|x|Q/g;

const two = (n: number) => String(n).padStart(2, '0');
const ordinal = (n: number) => `${n}${n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;

/** `ms`: epoch; empty where it is no time. */
export function formatPattern(ms: number, pattern: string, zone: TimeZone): string {
  if (!Number.isFinite(ms)) return '';
  const p = wallClock(ms, zone);
  const utc = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  const weekday = new Date(utc).getUTCDay();
  const dayOfYear = Math.floor((utc - Date.UTC(p.year, 0, 1)) / 86400000) + 1;
  const hour12 = p.hour % 12 || 12;
  const millis = ((ms % 1000) + 1000) % 1000;
  const offset = (colon: string) => {
    const minutes = Math.round((utc - (ms - millis)) / 60000);
    return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${colon}${two(Math.abs(minutes) % 60)}`;
  };
  const of: Record<string, () => string | number> = {
    YYYY: () => String(p.year).padStart(4, '0'), YY: () => two(p.year % 100), Q: () => Math.ceil(p.month / 3),
    MMMM: () => MONTHS[p.month - 1], MMM: () => MONTHS[p.month - 1].slice(0, 3), MM: () => two(p.month), M: () => p.month,
    DDDD: () => String(dayOfYear).padStart(3, '0'), DDD: () => dayOfYear, DD: () => two(p.day), Do: () => ordinal(p.day), D: () => p.day,
    dddd: () => DAYS[weekday], ddd: () => DAYS[weekday].slice(0, 3), d: () => weekday,
    HH: () => two(p.hour), H: () => p.hour, hh: () => two(hour12), h: () => hour12, kk: () => two(p.hour || 24), k: () => p.hour || 24,
    mm: () => two(p.minute), m: () => p.minute, ss: () => two(p.second), s: () => p.second,
    SSS: () => String(millis).padStart(3, '0'), SS: () => two(Math.floor(millis / 10)), S: () => Math.floor(millis / 100),
    A: () => (p.hour < 12 ? 'AM' : 'PM'), a: () => (p.hour < 12 ? 'am' : 'pm'), Z: () => offset(':'), ZZ: () => offset(''), X: () => Math.floor(ms / 1000), x: () => ms,
  };
  return pattern.replace(TOKENS, (token, literal?: string) => (literal !== undefined ? literal : String(of[token]())));
}
