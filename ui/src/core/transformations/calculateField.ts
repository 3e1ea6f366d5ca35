/** A field calculated from others: row by row, of two, of one, or the row's number. */
import { displayName } from '../displayName';
import type { Field, Frame } from '../frames';
import { timeField } from '../frames';
import { calculation } from '../reduce';
import { joinByField } from './join';
import type { Transformer } from './types';

const BINARY: Record<string, (a: number, b: number) => number> = { '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b, '^': (a, b) => a ** b, '%': (a, b) => a % b };
const UNARY: Record<string, (v: number) => number> = { abs: Math.abs, exp: Math.exp, ln: Math.log, sqrt: Math.sqrt, floor: Math.floor, ceil: Math.ceil, round: Math.round, trunc: Math.trunc };

export const calculateField: Transformer = (frames, options, context) => {
  const input = frames.length > 1 && options.mode !== 'index' && frames.every((f) => timeField(f)) ? joinByField(frames, {}, context) : frames;
  return input.map((frame) => {
    const field = calculated(frame, input, options);
    if (!field) return frame;
    const kept = options.replaceFields ? frame.fields.filter((f) => f.type === 'time') : frame.fields;
    return { ...frame, fields: [...kept, field], length: frame.length };
  });
};

function calculated(frame: Frame, frames: Frame[], options: any): Field | undefined {
  const name = (f: Field) => displayName(f, frame, frames);
  const find = (wanted: string) => frame.fields.find((f) => name(f) === wanted || f.name === wanted);
  const make = (values: unknown[], fallback: string, like?: Field): Field => ({ name: options.alias || fallback, type: 'number', config: { unit: like?.config.unit, decimals: like?.config.decimals }, values });
  const rows = Array.from({ length: frame.length }, (_, i) => i);
  switch (options.mode ?? 'reduceRow') {
    case 'index':
      return make(options.index?.asPercentile ? rows.map((i) => (frame.length > 1 ? i / (frame.length - 1) : 0)) : rows, 'Row');
    case 'binary': {
      const { left, right, operator = '+' } = options.binary ?? {};
      const side = (value: any): ((i: number) => number | null) => {
        const wanted = typeof value === 'object' ? (value?.matcher?.options ?? value?.fixed ?? '') : String(value ?? '');
        const field = find(wanted);
        const fixed = Number(wanted);
        return field ? (i) => field.values[i] : (_i) => (wanted !== '' && !Number.isNaN(fixed) ? fixed : null);
      };
      const [a, b, op] = [side(left), side(right), BINARY[operator]];
      const label = (v: any) => (typeof v === 'object' ? (v?.matcher?.options ?? v?.fixed ?? '') : v);
      return op && make(rows.map((i) => (a(i) === null || b(i) === null || a(i) === undefined || b(i) === undefined ? null : op(a(i)!, b(i)!))), `${label(left)} ${operator} ${label(right)}`, find(label(left)));
    }
    case 'unary': {
      const { fieldName, operator = 'abs' } = options.unary ?? {};
      const field = find(fieldName);
      return field && UNARY[operator] ? make(field.values.map((v) => (v === null ? null : UNARY[operator](v))), `${operator}(${fieldName})`, field) : undefined;
    }
    case 'cumulativeFunctions': {
      const { field: wanted, reducer = 'sum' } = options.cumulative ?? {};
      const field = find(wanted);
      let total = 0;
      return field && make(field.values.map((v, i) => ((total += Number(v ?? 0)), reducer === 'mean' ? total / (i + 1) : total)), `cumulative ${reducer}(${wanted})`, field);
    }
    case 'reduceRow': {
      const { include, reducer = 'sum' } = options.reduce ?? {};
      const fields = frame.fields.filter((f) => f.type === 'number' && (!include?.length || include.includes(name(f))));
      const calc = calculation(reducer);
      return calc && fields.length ? make(rows.map((i) => calc.of(fields.map((f) => f.values[i]))), calc.name, fields[0]) : undefined;
    }
    default:
      return undefined;
  }
}
