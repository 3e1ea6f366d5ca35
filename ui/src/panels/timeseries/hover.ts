/** What stands under the pointer of a graph. */
import type uPlot from 'uplot';
import type { AnnotationEvent } from '../../core/annotations';
import type { Exemplar } from '../../core/exemplars';

export interface Hover {
  /** Row of the aligned times. */
  index: number;
  /** Px within the panel. */
  left: number;
  top: number;
  /** The series whose point is closest in height; -1: none has one. */
  nearest: number;
  notes: AnnotationEvent[];
  exemplar?: Exemplar;
}

export function nearestSeries(u: uPlot, index: number, top: number): number {
  let best = -1;
  let distance = Infinity;
  for (let i = 1; i < u.series.length; i++) {
    const v = u.data[i][index];
    if (!u.series[i].show || v === null || v === undefined) continue;
    const d = Math.abs(u.valToPos(v, u.series[i].scale!) - top);
    if (d < distance) [best, distance] = [i - 1, d];
  }
  return best;
}

/** Events under the pointer, give or take a few px. */
export function notesAt(u: uPlot, events: readonly AnnotationEvent[], left: number): AnnotationEvent[] {
  return events.filter((e) => u.valToPos(e.time, 'x') - 5 <= left && left <= u.valToPos(e.timeEnd ?? e.time, 'x') + 5);
}
