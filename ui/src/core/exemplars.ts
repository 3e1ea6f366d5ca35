/** Exemplars: single observations with a trace's id, drawn over a graph. They come as a frame of their own beside a query's series. */
import { safeUrl } from './links';
import type { Frame, Labels } from './frames';
import type { ResolvedLink } from './dataLinks';

export interface Exemplar {
  /** Epoch ms. */
  time: number;
  value: number;
  labels: Labels;
  refId?: string;
  links: ResolvedLink[];
}

/** Where a label of an exemplar leads, as a Prometheus datasource's `exemplarTraceIdDestinations` say. */
export interface ExemplarDestination {
  /** The label. */
  name?: string;
  /** A tracing datasource; stronger than `url`. */
  datasourceUid?: string;
  /** Holds `${__value.raw}`. */
  url?: string;
  urlDisplayLabel?: string;
}

export const isExemplarFrame = (frame: Frame): boolean => frame.meta?.custom?.resultType === 'exemplar';

/** `destinations`: of the datasource that answered the refId. */
export function exemplarsOf(frames: readonly Frame[], destinations: (refId: string | undefined) => readonly ExemplarDestination[]): Exemplar[] {
  return frames.filter(isExemplarFrame).flatMap((frame) => {
    const time = frame.fields.find((f) => f.type === 'time')?.values ?? [];
    const value = frame.fields.find((f) => f.type === 'number')?.values ?? [];
    const texts = frame.fields.filter((f) => f.type === 'string');
    const known = destinations(frame.refId);
    return time.flatMap((t, i): Exemplar[] => {
      if (typeof value[i] !== 'number') return [];
      const labels = Object.fromEntries(texts.flatMap((f) => (f.values[i] ? [[f.name, String(f.values[i])]] : [])));
      return [{ time: t, value: value[i], labels, refId: frame.refId, links: exemplarLinks(labels, known) }];
    });
  });
}

export function exemplarLinks(labels: Labels, destinations: readonly ExemplarDestination[]): ResolvedLink[] {
  return destinations.flatMap((to): ResolvedLink[] => {
    const value = to.name ? labels[to.name] : undefined;
    if (!value) return [];
    if (to.datasourceUid) return [{ title: to.urlDisplayLabel || `Open the trace of ${to.name}`, url: `/explore?datasource=${encodeURIComponent(to.datasourceUid)}&expr=${encodeURIComponent(value)}`, blank: false }];
    const url = to.url ? safeUrl(to.url.replace(/\$\{__value(\.raw|\.text)?(:\w+)?\}/g, encodeURIComponent(value))) : undefined;
    return url ? [{ title: to.urlDisplayLabel || `Open ${to.name}`, url, blank: true }] : [];
  });
}

/** What a person wants to see first: the labels that lead somewhere, then the exemplar's own, then the series'. */
export function exemplarLabels(exemplar: Exemplar): [name: string, value: string][] {
  const rank = (name: string) => (/trace|span|request/i.test(name) ? 0 : name === '__name__' || name === 'le' ? 2 : 1);
  return Object.entries(exemplar.labels).sort((a, b) => rank(a[0]) - rank(b[0]) || (a[0] < b[0] ? -1 : 1));
}
