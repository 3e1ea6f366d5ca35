import { expect, test } from 'vitest';
import { applyFieldConfig, type FieldConfigSource, type Override } from '../src/core/fieldConfig';
import type { Frame } from '../src/core/frames';
import { displayName } from '../src/core/displayName';
import { frames, series, table, wide } from './generate';
import { grafana, nameOf, themes, toGrafana } from './grafana';
import { random, seeds, type Random } from './random';

const PROPERTIES: Record<string, (r: Random) => unknown> = {
  unit: (r) => r.pick(['s', 'bytes', 'percent']),
  decimals: (r) => r.int(0, 4),
  min: (r) => r.int(-5, 0),
  max: (r) => r.int(1, 100),
  noValue: (r) => r.pick(['-', 'none']),
  displayName: (r) => r.pick(['renamed', '${__field.name}', '${__field.labels.job} x']),
  color: (r) => ({ mode: 'fixed', fixedColor: r.pick(['red', '#102030']) }),
  thresholds: (r) => ({ mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: r.int(1, 9), color: 'red' }] }),
  mappings: (r) => [{ type: 'value', options: { 0: { text: r.pick(['down', 'off']) } } }],
};

function matcher(r: Random, names: string[]): Override['matcher'] {
  const reducer = r.pick(['lastNotNull', 'max', 'mean', 'min', 'count', 'allIsZero', 'allIsNull', 'sum']);
  return r.pick<() => Override['matcher']>([
    () => ({ id: 'byName', options: r.pick([...names, 'Value', 'Time', 'time', 'nobody']) }),
    () => ({ id: 'byNames', options: { mode: r.pick(['include', 'exclude']), names: r.some(names) } }),
    () => ({ id: 'byRegexp', options: r.pick(['/.*/', 'cpu|memory', '/^V/', '/API/i', 'job="api"', 'nobody']) }),
    () => ({ id: 'byType', options: r.pick(['number', 'string', 'time', 'boolean']) }),
    () => ({ id: 'byFrameRefID', options: r.pick(['A', 'B', 'C']) }),
    () => ({ id: 'byValue', options: { reducer, op: r.pick(['gte', 'gt', 'lte', 'lt', 'eq', 'neq']), value: r.pick([0, 1, 5, 100]) } }),
    () => ({ id: 'numeric' }),
    () => ({ id: 'time' }),
  ])();
}

function source(r: Random, input: Frame[]): FieldConfigSource {
  const names = [...new Set(input.flatMap((f) => f.fields.map((x) => displayName(x, f, input))))];
  const defaults = Object.fromEntries(r.some(Object.keys(PROPERTIES).filter((p) => p !== 'displayName')).map((id) => [id, PROPERTIES[id](r)]));
  const overrides = Array.from({ length: r.int(1, 4) }, (): Override => ({ matcher: matcher(r, names), properties: r.some(Object.keys(PROPERTIES)).map((id) => ({ id, value: PROPERTIES[id](r) })) }));
  return { defaults, overrides };
}

/** Limits, digits and thresholds of what is no number are of no use to anyone; ours leave a time its own form. */
// Thresholds as the mode are what is meant where none is given.
const KEYS: Record<string, string[]> = { number: Object.keys(PROPERTIES), string: ['unit', 'noValue', 'displayName', 'mappings'], boolean: ['unit', 'noValue', 'displayName', 'mappings'], time: ['displayName'] };
const pick = (config: any, type: string) => JSON.parse(JSON.stringify(Object.fromEntries((KEYS[type] ?? []).map((key) => [key, config[key]])), (_, v) => (v === -Infinity ? null : v?.mode === 'thresholds' ? undefined : v)));

test.each(seeds(500))('seed %i', (seed) => {
  const r = random(seed);
  const input = frames(r, r.pick([series, table, wide]));
  const settings = source(r, input);
  const made = grafana.applyFieldOverrides({ data: toGrafana(input), fieldConfig: structuredClone(settings), theme: themes.dark, timeZone: 'utc', replaceVariables: (text: string, vars: any) => theirVariables(text, vars) });
  const theirs = made.map((frame: any) => frame.fields.map((f: any) => [nameOf(f, frame, made), pick(f.config, f.type)]));
  const mine = applyFieldConfig(input, settings);
  const ours = mine.map((frame) => frame.fields.map((f) => [displayName(f, frame, mine), { ...pick(f.config, f.type), ...(f.config.displayName && { displayName: displayName(f, frame, mine) }) }]));
  expect(ours, JSON.stringify(settings)).toEqual(theirs);
});

/** `${__field...}` is filled by the application there; the library hands it the field. */
function theirVariables(text: string, vars: any): string {
  const field = vars?.__dataContext?.value?.field;
  return text.replace(/\$\{__field\.name\}/g, field?.name).replace(/\$\{__field\.labels\.(\w+)\}/g, (_, name) => field?.labels?.[name] ?? '');
}
