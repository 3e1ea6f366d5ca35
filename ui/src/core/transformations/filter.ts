/** Fewer fields, rows or frames. */
import { parseRegex } from '../display';
import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Field, Frame } from '../frames';
import { pickRows } from './rows';
import type { Transformer } from './types';

interface NameRule {
  names?: string[];
  pattern?: string;
  /** Names out of a variable, `a` or `{a,b}`. */
  variable?: string;
}

type Chosen = (field: Field, frame: Frame, name: string) => boolean;

export const filterFieldsByName: Transformer = (frames, options) => {
  const [include, exclude] = [chosen(options.include, options.byVariable), chosen(options.exclude, options.byVariable)];
  return frames.flatMap((frame) => {
    const fields = frame.fields.filter((f) => {
      const name = displayName(f, frame, frames);
      return (!include || include(f, frame, name)) && !exclude?.(f, frame, name);
    });
    return fields.length ? [{ ...frame, fields }] : [];
  });
};

function chosen(rule: NameRule | undefined, byVariable: boolean): Chosen | undefined {
  const names = byVariable && rule?.variable ? rule.variable.replace(/^\{(.*)\}$/, '$1').split(',') : (rule?.names ?? []);
  const regex = rule?.pattern && !byVariable ? parseRegex(String(rule.pattern)) : undefined;
  return names.length || regex ? (field, frame, name) => isNamed(field, frame, name, names) || (regex?.test(name) ?? false) : undefined;
}

export const filterByRefId: Transformer = (frames, options) => {
  const wanted: string = options.include ?? '';
  return wanted ? frames.filter((f) => isOfQuery(f, wanted)) : frames;
};

/** `A`, `A|B` or `/[AB]/`. */
export function isOfQuery(frame: Frame, wanted: string): boolean {
  const refId = frame.refId ?? '';
  return wanted.startsWith('/') ? (parseRegex(wanted)?.test(refId) ?? false) : wanted.split('|').includes(refId);
}

export const limit: Transformer = (frames, options) => {
  const most = Number(options.limitField ?? 10);
  if (!Number.isFinite(most)) return frames;
  return frames.map((f) => (f.length > Math.abs(most) ? pickRows(f, Array.from({ length: Math.abs(most) }, (_, i) => (most < 0 ? f.length + most + i : i))) : f));
};
