/** "Create heatmap": how many points of all series fall into each cell of time and value; one row a cell. */
import { displayName } from '../displayName';
import { timeField, type Field, type Frame } from '../frames';
import { CELLS } from '../heatOfCells';
import { countedHeat } from '../heatCount';
import type { Transformer } from './types';

export const heatmap: Transformer = (frames, options) => {
  const times = frames.flatMap((f) => timeField(f)?.values ?? []) as number[];
  const source = frames.flatMap((frame) => (timeField(frame) ? frame.fields.filter((f) => f.type === 'number').map((field) => ({ field, frame })) : []))[0];
  if (!source || !times.length) return frames;
  const extent = { from: times.reduce((a, b) => Math.min(a, b), Infinity), to: times.reduce((a, b) => Math.max(a, b), -Infinity) + 1 };
  const { times: ends, lows, counts, stepMs } = countedHeat(frames, options, extent);
  const columns: Omit<Field, 'values'>[] = [
    { name: 'xMin', type: 'time', config: { interval: stepMs } },
    { name: 'yMin', type: 'number', config: { ...source.field.config, displayName: undefined, displayNameFromDS: undefined } },
    { name: 'Count', type: 'number', config: { unit: 'short' } },
  ];
  const cells = ends.flatMap((end, c) => lows.map((low, r) => [end - stepMs, low, counts[r][c] ?? 0]));
  const made: Frame = { name: displayName(source.field, source.frame, frames), meta: { type: CELLS }, fields: columns.map((column, i) => ({ ...column, values: cells.map((cell) => cell[i]) })), length: cells.length };
  return options.keepOriginalData ? [made, ...frames] : [made];
};
