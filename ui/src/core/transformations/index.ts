/** Transformations in order; each is a file and a line in the registry. One that is unknown leaves the frames as they are. */
import type { Transformation } from '../dashboard';
import { matches } from '../fieldConfig';
import { displayName } from '../displayName';
import type { Frame } from '../frames';
import { calculateField } from './calculateField';
import { convertFieldType } from './convertFieldType';
import { extractFields } from './extractFields';
import { filterByRefId, filterByValue, filterFieldsByName, limit } from './filter';
import { formatTime } from './formatTime';
import { groupBy, groupingToMatrix } from './groupBy';
import { joinByField, joinByLabels } from './join';
import { labelsToFields } from './labelsToFields';
import { merge, seriesToRows } from './merge';
import { organize } from './organize';
import { partitionByValues } from './partitionByValues';
import { prepareTimeSeries } from './prepareTimeSeries';
import { reduce } from './reduce';
import { renameByRegex } from './renameByRegex';
import { sortBy } from './sortBy';
import { timeSeriesTable } from './timeSeriesTable';
import type { Transformer } from './types';

const TRANSFORMERS: Readonly<Record<string, Transformer>> = {
  calculateField,
  concatenate: (frames) => (frames.length > 1 ? [{ ...frames[0], fields: frames.flatMap((f) => f.fields), length: Math.max(...frames.map((f) => f.length)) }] : frames),
  convertFieldType,
  extractFields,
  filterByRefId,
  filterByValue,
  filterFieldsByName,
  formatTime,
  groupBy,
  groupingToMatrix,
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
  seriesToColumns: (frames, options, context) => joinByField(frames, { ...options, mode: 'outer' }, context),
  seriesToRows,
  sortBy,
  timeSeriesTable,
};

export function knownTransformation(id: string): boolean {
  return Object.hasOwn(TRANSFORMERS, id);
}

/** Apply all steps; a step with a filter sees only the frames that the filter matches. */
export function transform(frames: Frame[], steps: readonly Transformation[], fill: (text: string) => string = (t) => t): Frame[] {
  let current = frames;
  for (const step of steps) {
    if (step.disabled || !knownTransformation(step.id)) continue;
    const apply = (input: Frame[]) => TRANSFORMERS[step.id](input, step.options ?? {}, { fill });
    if (!step.filter?.options) current = apply(current);
    else {
      const chosen = (f: Frame) => f.fields.some((x) => matches(step.filter!, x, f, displayName(x, f, current)));
      current = [...apply(current.filter(chosen)), ...current.filter((f) => !chosen(f))];
    }
  }
  return current;
}
