/** `name{a="b"}`: a series as Prometheus writes it. */
export function metricToText(metric: Readonly<Record<string, string>>): string {
  const labels = Object.entries(metric)
    .filter(([name]) => name !== '__name__')
    .map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`);
  return `${metric.__name__ ?? ''}{${labels.join(',')}}`;
}
