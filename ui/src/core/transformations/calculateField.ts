/** A field calculated from others: row by row, of two, of one, over the rows so far, over a window, or the row's number. */
import { displayName } from '../displayName';
import { isNamed } from '../fieldConfig';
import type { Field, Frame } from '../frames';
import { timeField } from '../frames';
import { calculation } from '../reduce';
import { joinByField } from './join';
import type { Transformer } from './types';
import { movingValues } from './movingWindow';

const BINARY: Record<string, (a: number, b: number) => number> = { '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b, '^': (a, b) => a ** b, '%': (a, b) => a % b };
const UNARY: Record<string, (v: number, total: number) => number> = { abs: Math.abs, exp: Math.exp, ln: Math.log, sqrt: Math.sqrt, floor: Math.floor, ceil: Math.ceil, round: Math.round, trunc: Math.trunc, percent: (v, total) => v / (total || 1) };

/** One calculation on one frame: the values, or nothing where a field is missing. */
type Calculate = (frame: Frame, frames: Frame[], options: any) => unknown[] | undefined;

interface Operand {
  matcher?: { id?: string; options?: string };
  fixed?: string | number;
}

export const calculateField: Transformer = (frames, options) => {
  const mode: string = options.mode ?? 'reduceRow';
  const { right } = options.binary ?? {};
  const withNumber = mode === 'binary' && !Number.isNaN(Number(typeof right === 'object' ? right?.fixed : right));
  const input = options.timeSeries === false || withNumber ? frames : joinOnTime(frames);
  return input.flatMap((frame) => {
    const made = mode === 'binary' && options.binary?.left?.matcher?.id === 'byType' ? ofType(frame, input, options) : one(frame, input, mode, options);
    if (!made.length) return options.replaceFields ? [] : [frame];
    const time = options.timeSeries === false || mode === 'index' ? undefined : timeField(frame);
    return [{ ...frame, fields: [...(options.replaceFields ? (time ? [time] : []) : frame.fields), ...made] }];
  });
};

/** Series become columns of one frame, where all have a time of the same name. */
function joinOnTime(frames: Frame[]): Frame[] {
  const names = new Set(frames.map((f) => timeField(f)?.name));
  const [name] = names;
  return frames.length > 1 && names.size === 1 && name ? joinByField(frames, { byField: name }) : frames;
}

function one(frame: Frame, frames: Frame[], mode: string, options: any): Field[] {
  const values = CALCULATE[mode]?.(frame, frames, options);
  if (!values) return [];
  const config = { ...(options.alias && mode !== 'index' && { displayName: options.alias as string }), ...(mode === 'index' && options.index?.asPercentile && { unit: 'percentunit' }) };
  return [{ name: options.alias || nameOf(mode, options), type: 'number', config, values }];
}

const CALCULATE: Record<string, Calculate> = {
  index: (frame, _frames, { index }) => Array.from({ length: frame.length }, (_, i) => (index?.asPercentile ? i / frame.length : i)),
  reduceRow: (frame, frames, { reduce = {} }) => {
    // A row has as many values as it has fields, absent ones too.
    const calc = calculation(reduce.reducer === 'count' ? 'countAll' : (reduce.reducer ?? 'sum'));
    const fields = frame.fields.filter((f) => (reduce.include?.length ? named(f, frame, frames, reduce.include) : f.type === 'number'));
    return calc && rows(frame).map((i) => calc.of(fields.map((f) => f.values[i]), 'number'));
  },
  binary: (frame, frames, { binary = {} }) => {
    const [a, b, operate] = [operandValues(binary.left, frame, frames), operandValues(binary.right, frame, frames), BINARY[binary.operator ?? '+']];
    return a && b && operate && rows(frame).map((i) => operate(a[i], b[i]));
  },
  unary: (frame, frames, { unary = {} }) => {
    const field = frame.fields.find((f) => f.type === 'number' && displayName(f, frame, frames) === unary.fieldName);
    const operate = UNARY[unary.operator ?? 'abs'];
    if (!field?.values.length || !operate) return undefined;
    const total = calculation('sum')!.of(field.values.filter(Number.isFinite)) as number;
    return field.values.map((v) => operate(v, total));
  },
  cumulativeFunctions: (frame, frames, { cumulative = {} }) => {
    const field = chosen(frame, frames, cumulative.field);
    let total = 0;
    return field?.values.map((v, i) => ((total += v ?? 0), cumulative.reducer === 'mean' ? total / (i + 1) : total));
  },
  windowFunctions: (frame, frames, { window = {} }) => {
    const field = chosen(frame, frames, window.field);
    return field && movingValues(field.values, window);
  },
};

const rows = (frame: Frame) => Array.from({ length: frame.length }, (_, i) => i);
const named = (field: Field, frame: Frame, frames: Frame[], names: string[]) => isNamed(field, frame, displayName(field, frame, frames), names);
const chosen = (frame: Frame, frames: Frame[], name: string | undefined) => frame.fields.find((f) => (name ? named(f, frame, frames, [name]) : f.type === 'number'));

/** A field by its name, else a number; older dashboards hold the bare text. */
function operandValues(operand: Operand | string | undefined, frame: Frame, frames: Frame[]): number[] | undefined {
  const text = operandText(operand);
  const fixed = typeof operand === 'object' && operand.fixed !== undefined && !operand.matcher;
  const field = fixed ? undefined : frame.fields.find((f) => displayName(f, frame, frames) === text);
  if (field) return field.type === 'boolean' ? field.values.map(Number) : field.values;
  const number = parseFloat(text);
  return Number.isNaN(number) ? undefined : new Array(frame.length).fill(number);
}

const operandText = (operand: Operand | string | undefined): string => String(typeof operand === 'object' ? (operand?.matcher?.options ?? operand?.fixed ?? '') : (operand ?? ''));

/** Every field of a type with the right side: one new field each. */
function ofType(frame: Frame, frames: Frame[], { binary }: any): Field[] {
  const right = operandValues(binary.right, frame, frames);
  const operate = BINARY[binary.operator ?? '+'];
  if (!right || !operate) return [];
  const fields = frame.fields.filter((f) => f.type === binary.left.matcher.options);
  return fields.map((f) => ({ ...f, name: `${f.name} ${binary.operator ?? ''} ${operandText(binary.right)}`, values: f.values.map((v, i) => operate(v, right[i])) }));
}

function nameOf(mode: string, { reduce, binary, unary, cumulative, window }: any): string {
  const of = (name: string | undefined) => (name ? `(${name})` : '');
  switch (mode) {
    case 'cumulativeFunctions':
      return `cumulative ${cumulative?.reducer ?? 'sum'}${of(cumulative?.field)}`;
    case 'windowFunctions':
      return `${window?.windowAlignment ?? 'trailing'} moving ${window?.reducer ?? 'mean'}${of(window?.field)}`;
    case 'unary':
      return `${unary?.operator ?? 'abs'}${of(unary?.fieldName)}`;
    case 'binary': {
      const [left, right] = [operandText(binary?.left), operandText(binary?.right)];
      return left && right ? `${left} ${binary?.operator ?? '+'} ${right}` : '';
    }
    case 'index':
      return 'Row';
    default:
      return calculation(reduce?.reducer ?? 'sum')?.name ?? 'math';
  }
}
