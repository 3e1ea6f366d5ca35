/** Made-up columns and frames of the kinds that datasources answer with. */
import { makeFrame, type Field, type Frame } from '../src/core/frames';
import type { Random } from './random';

const START = 1_700_000_000_000;
const LABELS: Readonly<Record<string, readonly string[]>> = { job: ['api', 'web'], instance: ['a:1', 'b:2', 'c:3'], le: ['0.1', '1', '+Inf'] };

export function numbers(r: Random, length: number, options: { nulls?: boolean; nan?: boolean } = {}): (number | null)[] {
  return Array.from({ length }, () => {
    if (options.nulls && r.chance(0.15)) return null;
    if (options.nan && r.chance(0.1)) return NaN;
    return r.pick([() => r.int(-3, 5), () => r.int(0, 100000), () => Math.round(r.next() * 1e4) / 100, () => -Math.round(r.next() * 1000) / 1000])();
  });
}

export const texts = (r: Random, length: number, nulls = false): (string | null)[] => Array.from({ length }, () => (nulls && r.chance(0.15) ? null : r.pick(['api', 'web', 'db', 'web 10', 'web 9', ''])));
export const booleans = (r: Random, length: number): boolean[] => Array.from({ length }, () => r.chance(0.5));
/** Ascending, a minute apart, some left out. */
export const times = (r: Random, length: number): number[] => Array.from({ length: length * 2 }, (_, i) => START + i * 60000).filter(() => r.chance(0.5)).slice(0, length);

export function labels(r: Random): Record<string, string> {
  return Object.fromEntries(r.some(Object.keys(LABELS)).map((name) => [name, r.pick(LABELS[name])]));
}

/** A Prometheus series: `Time` and `Value` with labels; legends as the datasource gives them. */
export function series(r: Random, refId: string): Frame {
  const time = times(r, r.int(1, 6));
  const config = r.chance(0.3) ? { displayNameFromDS: r.pick(['cpu', 'memory', 'disk']) } : {};
  return makeFrame([{ name: 'Time', type: 'time', values: time }, { name: 'Value', type: 'number', labels: labels(r), config, values: numbers(r, time.length, { nulls: true }) }], { refId, name: r.chance(0.3) ? r.pick(['first', 'second']) : undefined });
}

/** A table, as instant queries answer in their table format. */
export function table(r: Random, refId: string): Frame {
  const length = r.int(1, 6);
  const columns: Field[] = [
    { name: 'Time', type: 'time', config: {}, values: new Array(length).fill(START) },
    { name: 'job', type: 'string', config: {}, values: texts(r, length) },
    { name: 'instance', type: 'string', config: {}, values: texts(r, length) },
    { name: 'Value', type: 'number', config: {}, values: numbers(r, length, { nulls: true }) },
  ];
  return makeFrame(columns, { refId });
}

/** A table of its own column names, with every type. */
export function wide(r: Random, refId: string): Frame {
  const length = r.int(0, 7);
  return makeFrame(
    [
      { name: 'time', type: 'time', values: Array.from({ length }, (_, i) => START + i * 60000) },
      { name: 'host', type: 'string', values: texts(r, length, true) },
      { name: 'cpu', type: 'number', values: numbers(r, length, { nulls: true }) },
      { name: 'memory', type: 'number', values: numbers(r, length) },
      { name: 'up', type: 'boolean', values: booleans(r, length) },
    ],
    { refId },
  );
}

/** One to four frames of one kind; queries named A, B, ... */
export function frames(r: Random, kind: (r: Random, refId: string) => Frame = r.pick([series, table, wide])): Frame[] {
  return Array.from({ length: r.int(1, 4) }, (_, i) => kind(r, r.chance(0.5) ? 'A' : 'ABCD'[i]));
}
