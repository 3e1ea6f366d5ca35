/** Hide, order and rename fields by name. */
import { displayName } from '../displayName';
import type { Field } from '../frames';
import type { Transformer } from './types';

interface Named {
  field: Field;
  name: string;
}

const chosen = (names: Record<string, boolean> | undefined) => new Set(Object.keys(names ?? {}).filter((n) => names![n]));

export const organize: Transformer = (frames, options) => {
  const [exclude, include] = [chosen(options.excludeByName), chosen(options.includeByName)];
  const rename: Record<string, string> = options.renameByName ?? {};
  return frames.flatMap((frame) => {
    const named = frame.fields.map((field) => ({ field, name: displayName(field, frame, frames) })).filter(({ name }) => !exclude.has(name) && (!include.size || include.has(name)));
    if (!named.length && frame.fields.length) return [];
    const ordered = options.orderByMode === 'auto' ? byNameOrLabel(named, options.orderBy ?? []) : byIndex(named, options.indexByName ?? {});
    return [{ ...frame, fields: ordered.map(({ field, name }) => (rename[name] ? { ...field, config: { ...field.config, displayName: rename[name] } } : field)) }];
  });
};

function byIndex(named: Named[], indexes: Record<string, number>): Named[] {
  const index = ({ name }: Named) => (Number.isInteger(indexes[name]) ? indexes[name] : Number.MAX_SAFE_INTEGER);
  return [...named].sort((a, b) => index(a) - index(b));
}

const collator = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

/** The time first, the rest by name or by a label. */
function byNameOrLabel(named: Named[], rules: { type: string; name?: string; desc?: boolean }[]): Named[] {
  const time = named.find((n) => n.field.type === 'time');
  const text = ({ field, name }: Named, rule: { type: string; name?: string }) => (rule.type === 'name' ? name : (field.labels?.[rule.name ?? ''] ?? ''));
  const compare = (a: Named, b: Named) => rules.reduce((found, rule) => found || collator.compare(text(a, rule), text(b, rule)) * (rule.desc ? -1 : 1), 0);
  return [...named].sort((a, b) => (a === time ? -1 : b === time ? 1 : compare(a, b)));
}
