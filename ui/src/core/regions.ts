/** Stretches of time that events mark: those of one colour that touch or overlap are one, so that many at once are no darker than one. */
import type { AnnotationEvent } from './annotations';

export interface Region {
  /** Epoch ms. */
  from: number;
  to: number;
  color: string;
}

export function mergedRegions(events: readonly Pick<AnnotationEvent, 'time' | 'timeEnd' | 'color'>[]): Region[] {
  const lasting = events.flatMap((e) => (e.timeEnd !== undefined && e.timeEnd > e.time ? [{ from: e.time, to: e.timeEnd, color: e.color }] : []));
  return [...Map.groupBy(lasting, (r) => r.color).values()].flatMap((same) => {
    const out: Region[] = [];
    for (const region of same.toSorted((a, b) => a.from - b.from)) {
      const last = out.at(-1);
      if (last && region.from <= last.to) last.to = Math.max(last.to, region.to);
      else out.push({ ...region });
    }
    return out;
  });
}
