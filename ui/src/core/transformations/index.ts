/** Transformations in order; each is a file and a line in the registry. One that is unknown leaves the frames as they are. */
import type { Transformation } from '../dashboard';
import { displayName } from '../displayName';
import { matches } from '../fieldConfig';
import type { Frame } from '../frames';
import { calculateField } from './calculateField';
import { concatenate } from './concatenate';
import { configFromData } from './configFromData';
import { convertFieldType } from './convertFieldType';
import { extractFields } from './extractFields';
import { filterByRefId, filterFieldsByName, isOfQuery, limit } from './filter';
import { filterByValue } from './filterByValue';
import { formatString } from './formatString';
import { formatTime } from './formatTime';
import { groupBy } from './groupBy';
import { groupingToMatrix } from './groupingToMatrix';
import { heatmap } from './heatmap';
import { histogram } from './histogram';
import { joinByField } from './join';
import { joinByLabels } from './joinByLabels';
import { labelsToFields } from './labelsToFields';
import { merge } from './merge';
import { organize } from './organize';
import { partitionByValues } from './partitionByValues';
import { prepareTimeSeries } from './prepareTimeSeries';
import { reduce } from './reduce';
import { renameByRegex } from './renameByRegex';
import { rowsToFields } from './rowsToFields';
import { seriesToRows } from './seriesToRows';
import { sortBy } from './sortBy';
import { timeSeriesTable } from './timeSeriesTable';
import { transpose } from './transpose';
import type { Transformer } from './types';

const TRANSFORMERS: Readonly<Record<string, Transformer>> = {
  calculateField,
  concatenate,
  configFromData,
  convertFieldType,
  extractFields,
  filterByRefId,
  filterByValue,
  filterFieldsByName,
  formatString,
  formatTime,
  groupBy,
  groupingToMatrix,
  heatmap,
  histogram,
  joinByField,
  joinByLabels,
  labelsToFields,
  limit,
  merge,
  organize,
  partitionByValues,
  prepareTimeSeries,
  reduce,
  renameByRegex,
  rowsToFields,
  seriesToColumns: (frames, options) => joinByField(frames, { ...options, mode: 'outer' }),
  seriesToRows,
  sortBy,
  timeSeriesTable,
  transpose,
};

export function knownTransformation(id: string): boolean {
  return Object.hasOwn(TRANSFORMERS, id);
}

/** Apply all steps; a step with a filter sees only the frames that the filter matches. `fill`: variables in options. */
export function transform(frames: Frame[], steps: readonly Transformation[], fill: (text: string) => string = (t) => t): Frame[] {
  let current = frames;
  for (const step of steps) {
    if (step.disabled || !knownTransformation(step.id)) continue;
    const apply = (input: Frame[]) => TRANSFORMERS[step.id](input, filled(step.options ?? {}, fill));
    current = step.filter?.options ? applyToSome(current, step.filter, apply) : apply(current);
  }
  return current;
}

function applyToSome(frames: Frame[], filter: NonNullable<Transformation['filter']>, apply: (frames: Frame[]) => Frame[]): Frame[] {
  const chosen = (f: Frame) => (filter.id === 'byRefId' ? isOfQuery(f, String(filter.options)) : f.fields.some((x) => matches(filter, x, f, displayName(x, f, frames))));
  const result = [...apply(frames.filter(chosen))];
  const others = frames.filter((f) => !chosen(f));
  // Where the first of them was: an order of frames is an order of colours.
  result.splice(frames.indexOf(others[0]), 0, ...others);
  return result;
}

function filled(value: any, fill: (text: string) => string): any {
  if (typeof value === 'string') return fill(value);
  if (Array.isArray(value)) return value.map((v) => filled(v, fill));
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, fill)])) : value;
}
