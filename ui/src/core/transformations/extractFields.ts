/** Columns out of one column of JSON, key=value text, or objects. */
import { displayName } from '../displayName';
import type { Field } from '../frames';
import { makeFrame } from '../frames';
import { parseRegex } from '../display';
import type { Transformer } from './types';

export const extractFields: Transformer = (frames, options) =>
  frames.map((frame) => {
    const source = frame.fields.find((f) => displayName(f, frame, frames) === options.source || f.name === options.source);
    if (!source) return frame;
    const objects = source.values.map((v) => parse(v, options));
    const paths: { path: string; alias?: string }[] = options.jsonPaths?.filter((p: any) => p?.path) ?? [];
    const names = paths.length ? paths.map((p) => p.alias || p.path) : [...new Set(objects.flatMap((o) => Object.keys(o)))];
    const column = (i: number) => objects.map((o) => (paths.length ? dig(o, paths[i].path) : o[names[i]]) ?? null);
    const made = makeFrame(names.map((name, i) => ({ name, values: column(i) }))).fields.map((f): Field => (f.type === 'number' && f.values.some((v) => v !== null && typeof v !== 'number') ? { ...f, type: 'string' } : f));
    const kept = options.replace ? (options.keepTime ? frame.fields.filter((f) => f.type === 'time') : []) : frame.fields;
    return { ...frame, fields: [...kept, ...made] };
  });

function parse(value: unknown, options: any): Record<string, any> {
  if (value && typeof value === 'object') return value as Record<string, any>;
  if (typeof value !== 'string') return {};
  if (options.format === 'regexp') return { ...(parseRegex(options.regExp ?? '')?.exec(value)?.groups ?? {}) };
  if (options.format !== 'kvp')
    try {
      const json = JSON.parse(value);
      return json && typeof json === 'object' ? json : {};
    } catch {
      if (options.format === 'json') return {};
    }
  return Object.fromEntries([...value.matchAll(/([\w.-]+)\s*[=:]\s*("[^"]*"|[^\s,;]+)/g)].map((m) => [m[1], m[2].replace(/^"|"$/g, '')]));
}

/** `a.b[0].c` */
function dig(object: any, path: string): unknown {
  return path
    .replace(/\[["']?([^\]"']+)["']?\]/g, '.$1')
    .split('.')
    .filter(Boolean)
    .reduce((o, key) => (o !== null && typeof o === 'object' && Object.hasOwn(o, key) ? o[key] : undefined), object);
}
