/** Group rows by the values of some fields and calculate the others per group. */
import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Field, FieldType } from '../frames';
import { calculation } from '../reduce';
import { groupRows } from './rows';
import type { Transformer } from './types';

interface Setting {
  operation?: string;
  aggregations?: string[];
}

export const groupBy: Transformer = (frames, options) => {
  const settings: Record<string, Setting> = options.fields ?? {};
  const wanted = Object.keys(settings).filter((name) => settings[name]?.operation === 'groupby');
  if (!wanted.length) return frames;
  return frames.flatMap((frame) => {
    const keys = frame.fields.filter((field) => isNamed(field, frame, displayName(field, frame, frames), wanted));
    if (!keys.length) return [];
    const groups = groupRows(keys, frame.length);
    const fields: Field[] = keys.map((field, i) => ({ name: field.name, type: field.type, config: { ...field.config }, values: groups.map((g) => g.key[i]) }));
    for (const field of frame.fields) {
      const name = displayName(field);
      for (const id of aggregations(settings[name] ?? settings[field.name])) {
        const calc = calculation(id);
        if (calc) fields.push({ name: `${name} (${id})`, type: resultType(id, field.type), config: {}, values: groups.map((g) => calc.of(g.rows.map((r) => field.values[r]), field.type)) });
      }
    }
    return [{ refId: frame.refId, fields, length: groups.length }];
  });
};

/** Of a key only the count is of use. */
function aggregations(setting: Setting | undefined): string[] {
  const ids = setting?.aggregations ?? [];
  return setting?.operation === 'aggregate' || (setting?.operation === 'groupby' && ids.length === 1 && ids[0] === 'count') ? ids : [];
}

function resultType(id: string, type: FieldType): FieldType {
  if (id === 'count' || id === 'countAll' || id === 'distinctCount' || id === 'changeCount') return 'number';
  return id === 'allIsNull' || id === 'allIsZero' ? 'boolean' : type;
}
