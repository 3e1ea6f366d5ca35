/** Kinds of datasources that this server cannot ask: their panels still draw what a dashboard holds itself. */
const TRACING = new Set(['tempo', 'jaeger', 'zipkin']);

/** Why a datasource is not asked; undefined where it is. */
export function unservedReason({ type, name, uid }: { type: string; name?: string; uid: string }): string | undefined {
  return TRACING.has(type) ? `This datasource is not served yet: "${name ?? uid}" is of the kind ${type}, and there is no tracing store in this version` : undefined;
}
