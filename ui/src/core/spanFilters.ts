/** Which spans a traces panel marks or keeps: its own settings, all of which must hold. */
import type { KeyValue, Span, Trace } from './traces';

/** As Grafana's panel stores them; what is missing or odd filters nothing. */
export interface SpanFilters {
  serviceName?: string;
  serviceNameOperator?: string;
  spanName?: string;
  spanNameOperator?: string;
  /** Shortest and longest duration, for instance `100ms`. */
  from?: string;
  fromOperator?: string;
  to?: string;
  toOperator?: string;
  tags?: readonly { key?: string; operator?: string; value?: string }[];
  /** Text that is looked for. */
  query?: string;
  /** Others are left out, not only faded. */
  matchesOnly?: boolean;
  criticalPathOnly?: boolean;
}

type Test = (span: Span) => boolean;

/** Places of the spans that pass; undefined where nothing is filtered. */
export function filteredSpans(trace: Trace, filters: SpanFilters): Set<number> | undefined {
  const tests = [named(filters.serviceName, filters.serviceNameOperator, (s) => s.service), named(filters.spanName, filters.spanNameOperator, (s) => s.operation), ...durations(filters), ...(Array.isArray(filters.tags) ? filters.tags.map(tagged) : [])].filter((t) => t !== undefined);
  if (!tests.length) return undefined;
  return new Set(trace.spans.flatMap((span, i) => (tests.every((t) => t(span)) ? [i] : [])));
}

const turned = (operator: string | undefined, test: Test): Test => (operator?.startsWith('!') ? (s) => !test(s) : test);

function named(wanted: string | undefined, operator: string | undefined, of: (span: Span) => string): Test | undefined {
  return wanted ? turned(operator, textTest(wanted, operator, (s) => [of(s)])) : undefined;
}

function tagged({ key, operator, value }: { key?: string; operator?: string; value?: string }): Test | undefined {
  if (!key) return undefined;
  const valuesOf = (span: Span) => [...span.tags, ...span.serviceTags].filter((t: KeyValue) => t.key === key).map((t) => (typeof t.value === 'string' ? t.value : JSON.stringify(t.value)));
  // Without a value: the tag is there at all.
  return turned(operator, value === undefined || value === '' ? (s) => valuesOf(s).length > 0 : textTest(value, operator, valuesOf));
}

function textTest(wanted: string, operator: string | undefined, valuesOf: (span: Span) => string[]): Test {
  if (operator !== '=~' && operator !== '!~') return (s) => valuesOf(s).includes(wanted);
  try {
    const regex = new RegExp(wanted);
    return (s) => valuesOf(s).some((v) => regex.test(v));
  } catch {
    return (s) => valuesOf(s).includes(wanted);
  }
}

function durations({ from, fromOperator, to, toOperator }: SpanFilters): Test[] {
  const [least, most] = [parseSpanDuration(from), parseSpanDuration(to)];
  const tests: Test[] = [];
  if (least !== undefined) tests.push(fromOperator === '>=' ? (s) => s.duration >= least : (s) => s.duration > least);
  if (most !== undefined) tests.push(toOperator === '<=' ? (s) => s.duration <= most : (s) => s.duration < most);
  return tests;
}

const UNIT_MS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5 };

/** `1.5s`, `100 ms` -> ms. */
export function parseSpanDuration(text: string | undefined): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s|m|h)\s*$/.exec(text ?? '');
  return match ? Number(match[1]) * UNIT_MS[match[2]] : undefined;
}
