/**
 * Frames: what every query answers with and every panel draws. Columns of equal length, Grafana's data-frame JSON decoded.
 * May import nothing but types.
 */

export type FieldType = 'time' | 'number' | 'string' | 'boolean' | 'enum' | 'other';

export type Labels = Readonly<Record<string, string>>;

/** Field settings as Grafana's JSON has them; merged from the answer, the panel's defaults and its overrides. */
export interface FieldConfig {
  /** Shown instead of any derived name; may hold `${__field.labels.x}`. */
  displayName?: string;
  /** The name the datasource made (the legend format); weaker than `displayName`. */
  displayNameFromDS?: string;
  /** A unit id of `core/units`. */
  unit?: string;
  /** Digits after the point; absent: as many as the value needs. */
  decimals?: number | null;
  min?: number | null;
  max?: number | null;
  /** Open limits are those of the field itself, not of all fields together. */
  fieldMinMax?: boolean;
  /** Time fields: the step between two points, ms. */
  interval?: number;
  /** Text for an absent value. */
  noValue?: string;
  color?: { mode: string; fixedColor?: string; seriesBy?: 'last' | 'min' | 'max' };
  thresholds?: ThresholdsConfig;
  mappings?: ValueMapping[];
  links?: DataLink[];
  /** What only one kind of panel understands. */
  custom?: Record<string, any>;
}

export interface ThresholdsConfig {
  mode: 'absolute' | 'percentage';
  /** Ascending; the first value is null (minus infinity). */
  steps: { value: number | null; color: string }[];
}

export interface DataLink {
  title: string;
  url: string;
  targetBlank?: boolean;
}

export interface MappingResult {
  text?: string;
  color?: string;
  icon?: string;
  index?: number;
}

export type ValueMapping =
  | { type: 'value'; options: Record<string, MappingResult> }
  | { type: 'range'; options: { from: number | null; to: number | null; result: MappingResult } }
  | { type: 'regex'; options: { pattern: string; result: MappingResult } }
  | { type: 'special'; options: { match: string; result: MappingResult } };

export interface Field {
  name: string;
  type: FieldType;
  labels?: Labels;
  config: FieldConfig;
  /** One entry a row. Times are epoch ms; absent is null; numbers may be NaN or infinite. */
  values: any[];
  /** Time fields of logs: nanoseconds within the millisecond, 0 to 999999. */
  nanos?: number[];
}

export interface Frame {
  refId?: string;
  name?: string;
  meta?: FrameMeta;
  fields: Field[];
  /** Rows. */
  length: number;
}

export interface FrameMeta {
  type?: string;
  custom?: Record<string, any>;
  executedQueryString?: string;
  notices?: { severity: string; text: string }[];
  preferredVisualisationType?: string;
  stats?: { displayName: string; value: number; unit?: string }[];
  [key: string]: any;
}

/** The wire form of one frame. */
export interface FrameJSON {
  schema?: { refId?: string; name?: string; meta?: FrameMeta; fields: { name: string; type?: string; labels?: Labels | null; config?: FieldConfig | null; typeInfo?: unknown }[] };
  data?: { values: any[][]; nanos?: (number[] | null)[]; entities?: (FieldEntities | null)[]; enums?: (string[] | null)[] };
}

interface FieldEntities {
  NaN?: number[];
  Inf?: number[];
  NegInf?: number[];
}

const KNOWN_TYPES = new Set<string>(['time', 'number', 'string', 'boolean', 'enum', 'other']);

/** Decode one wire frame; its columns are taken over, not copied. Numbers that JSON cannot hold come back through `entities`. */
export function decodeFrame(json: FrameJSON): Frame {
  const schema = json.schema ?? { fields: [] };
  const columns = json.data?.values ?? [];
  const fields = schema.fields.map((field, index): Field => {
    const values = columns[index] ?? [];
    restoreEntities(values, json.data?.entities?.[index]);
    const type = KNOWN_TYPES.has(field.type ?? '') ? (field.type as FieldType) : guessType(values);
    return { name: field.name, type, labels: field.labels ?? undefined, config: field.config ?? {}, values, nanos: json.data?.nanos?.[index] ?? undefined };
  });
  return { refId: schema.refId, name: schema.name, meta: schema.meta, fields, length: fields[0]?.values.length ?? 0 };
}

function restoreEntities(values: any[], entities: FieldEntities | null | undefined): void {
  if (!entities) return;
  for (const i of entities.NaN ?? []) values[i] = NaN;
  for (const i of entities.Inf ?? []) values[i] = Infinity;
  for (const i of entities.NegInf ?? []) values[i] = -Infinity;
}

/** By the first value that is there; text where there is none. */
export function guessType(values: any[]): FieldType {
  const first = values.find((v) => v !== null && v !== undefined);
  if (typeof first === 'number') return 'number';
  if (typeof first === 'boolean') return 'boolean';
  return typeof first === 'object' ? 'other' : 'string';
}

/** A frame from columns; for tests, transformations and panels that derive data. */
export function makeFrame(fields: (Partial<Field> & Pick<Field, 'name' | 'values'>)[], rest: Partial<Frame> = {}): Frame {
  const full = fields.map((f): Field => ({ ...f, type: f.type ?? guessType(f.values), config: f.config ?? {} }));
  return { ...rest, fields: full, length: full[0]?.values.length ?? 0 };
}

export function timeField(frame: Frame): Field | undefined {
  return frame.fields.find((f) => f.type === 'time');
}

export function numberFields(frame: Frame): Field[] {
  return frame.fields.filter((f) => f.type === 'number');
}

/** True where there is nothing to draw. */
export function isEmpty(frames: readonly Frame[]): boolean {
  return frames.every((f) => f.length === 0);
}
