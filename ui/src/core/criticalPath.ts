/** Which spans a trace's duration was made of. */
import type { Trace } from './traces';

export interface Stretch {
  /** Epoch ms. */
  from: number;
  to: number;
}

/**
 * What the trace's end waited for, by place of span: from its end backwards, a span's time belongs to the child that ended last before,
 * and to itself where none was running (Jaeger's critical path). Latest stretches first.
 */
export function criticalPath(trace: Trace): Map<number, Stretch[]> {
  const path = new Map<number, Stretch[]>();
  const root = trace.spans.findIndex((s) => s.parent < 0 && s.start + s.duration >= trace.start + trace.duration);
  if (root < 0) return path;
  const add = (place: number, from: number, to: number) => {
    if (to <= from) return;
    const stretches = path.get(place);
    if (stretches) stretches.push({ from, to });
    else path.set(place, [{ from, to }]);
  };
  const stack = [{ place: root, until: trace.start + trace.duration }];
  while (stack.length) {
    const { place, until } = stack.pop()!;
    const span = trace.spans[place];
    let end = Math.min(until, span.start + span.duration);
    for (const child of childrenByEnd(trace, place)) {
      const c = trace.spans[child];
      const childEnd = c.start + c.duration;
      if (childEnd > end || c.start < span.start) continue;
      add(place, childEnd, end);
      stack.push({ place: child, until: childEnd });
      end = c.start;
    }
    add(place, span.start, end);
  }
  return path;
}

function childrenByEnd(trace: Trace, place: number): number[] {
  const found: number[] = [];
  for (let i = place + 1; i < trace.spans[place].end; i = trace.spans[i].end) found.push(i);
  const end = (i: number) => trace.spans[i].start + trace.spans[i].duration;
  return found.sort((a, b) => end(b) - end(a));
}
