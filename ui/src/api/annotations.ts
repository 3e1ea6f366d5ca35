/** Annotations that the server keeps. */
import type { AnnotationEvent, AnnotationSource } from '../core/annotations';
import type { TimeRange } from '../core/time';
import { requestJson } from './client';

interface Stored {
  time: number;
  timeEnd?: number;
  text: string;
  tags?: string[];
  panelId?: number;
}

/** Of the dashboard, or of any with the source's tags. */
export async function storedAnnotations(source: AnnotationSource, uid: string, range: TimeRange): Promise<AnnotationEvent[]> {
  const params = new URLSearchParams({ from: String(Math.round(range.from)), to: String(Math.round(range.to)), limit: String(source.limit) });
  if (source.tags) {
    for (const tag of source.tags) params.append('tags', tag);
    if (source.matchAny) params.set('matchAny', 'true');
  } else params.set('dashboardUID', uid);
  const found = await requestJson<Stored[]>(`/api/annotations?${params}`);
  return found.map((a) => ({ time: a.time, timeEnd: a.timeEnd && a.timeEnd > a.time ? a.timeEnd : undefined, title: source.name, text: a.text, tags: a.tags ?? [], color: source.color, panelId: source.tags ? undefined : a.panelId || undefined, filter: source.filter }));
}
