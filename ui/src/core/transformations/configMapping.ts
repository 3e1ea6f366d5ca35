/**
 * Columns that hold settings: which column is which setting of a field, and the settings that a row of them makes.
 * A column is mapped by name, or is the setting that it is called as (`Min`, `unit`). With `named`, the first text names the new
 * fields, the first number is their value, and what is left over becomes labels.
 */
import { displayName } from '../displayName';
import type { Field, FieldConfig, Frame, MappingResult } from '../frames';

export interface Mapping {
  fieldName?: string;
  /** null and `__ignore`: the column is left out. */
  handlerKey?: string | null;
  reducerId?: string;
  handlerArguments?: { threshold?: { color?: string } };
}

export interface MappedColumn {
  field: Field;
  name: string;
  /** A setting, or `field.name`, `field.value`, `field.label`; absent: nothing. */
  key?: string;
  reducerId: string;
  thresholdColor: string;
}

type Setter = (config: FieldConfig, value: unknown, column: MappedColumn) => void;

const SETTERS: Record<string, Setter> = {
  max: (config, value) => setNumber(config, 'max', value),
  min: (config, value) => setNumber(config, 'min', value),
  decimals: (config, value) => {
    const number = toNumber(value);
    if (Number.isInteger(number) && number >= 0 && number <= 15) config.decimals = number;
  },
  unit: (config, value) => (config.unit = String(value)),
  displayname: (config, value) => (config.displayName = String(value)),
  color: (config, value) => (config.color = { mode: 'fixed', fixedColor: String(value) }),
  threshold1: (config, value, { thresholdColor }) => {
    const number = toNumber(value);
    if (Number.isNaN(number)) return;
    config.thresholds ??= { mode: 'absolute', steps: [] };
    config.thresholds.steps.push({ value: number, color: thresholdColor });
  },
};

const PLAIN = new Set(['field.name', 'field.value', 'field.label']);
const VALUE_MAPPINGS = new Set(['mappings.value', 'mappings.color', 'mappings.text']);

const keyOf = (name: string): string | undefined => {
  const key = name.toLowerCase();
  return Object.hasOwn(SETTERS, key) || PLAIN.has(key) || VALUE_MAPPINGS.has(key) ? key : undefined;
};

export function mapColumns(frame: Frame, mappings: readonly Mapping[], named: boolean): MappedColumn[] {
  const taken = (key: string) => mappings.some((m) => m.handlerKey === key);
  const free = { name: named && !taken('field.name'), value: named && !taken('field.value') };
  return frame.fields.map((field) => {
    const name = displayName(field, frame, [frame]);
    const mapping = mappings.find((m) => m.fieldName === name);
    const ignored = mapping?.handlerKey === '__ignore';
    let key = ignored ? undefined : keyOf(mapping ? (mapping.handlerKey ?? '') : name);
    if (!key && !mapping && free.name && field.type === 'string') [key, free.name] = ['field.name', false];
    else if (!key && !mapping && free.value && field.type === 'number') [key, free.value] = ['field.value', false];
    else if (!key && !ignored && named) key = 'field.label';
    return { field, name, key, reducerId: mapping?.reducerId ?? (key && VALUE_MAPPINGS.has(key) ? 'allValues' : 'lastNotNull'), thresholdColor: mapping?.handlerArguments?.threshold?.color ?? 'red' };
  });
}

/** `valueOf`: the value of a column for the field in question. */
export function configOf(columns: readonly MappedColumn[], valueOf: (column: MappedColumn) => unknown): FieldConfig {
  const config: FieldConfig = {};
  const lists = new Map<string, unknown[]>();
  for (const column of columns) {
    const value = column.key ? valueOf(column) : undefined;
    if (value === null || value === undefined) continue;
    if (VALUE_MAPPINGS.has(column.key!)) {
      if (Array.isArray(value)) lists.set(column.key!, value);
    } else SETTERS[column.key!]?.(config, value, column);
  }
  const values = lists.get('mappings.value');
  if (values) config.mappings = [{ type: 'value', options: Object.fromEntries(values.flatMap((v, index): [string, MappingResult][] => (v === null || v === undefined ? [] : [[String(v), { color: lists.get('mappings.color')?.[index] as string, text: lists.get('mappings.text')?.[index] as string, index }]]))) }];
  return config;
}

/** Texts of numbers count; what is no number at all is NaN. */
function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
}

function setNumber(config: FieldConfig, key: 'min' | 'max', value: unknown): void {
  const number = toNumber(value);
  if (!Number.isNaN(number)) config[key] = number;
}
