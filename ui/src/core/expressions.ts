/** Expressions (`__expr__`) over a panel's other queries: the server evaluates them; here is what they refer to. */
import type { DatasourceRef, Target } from './dashboard';
import { interpolate, type Scope } from './interpolate';

const UIDS = new Set(['__expr__', '-- Expression --', '-100']);

export function isExpression(ref: DatasourceRef | undefined): boolean {
  return UIDS.has(ref?.uid ?? '') || ref?.type === '__expr__';
}

/** The queries that a target names: `$A` and `${A}` in formulas, a bare name in the other kinds, those of its conditions. */
export function refsOf(target: Target): string[] {
  const text = typeof target.expression === 'string' ? target.expression : '';
  const named = target.type === 'math' ? [...text.matchAll(/\$\{([^}]+)\}|\$(\w+)/g)].map((m) => m[1] ?? m[2]) : text ? [text.replace(/[${} ]/g, '')] : [];
  const conditions = Array.isArray(target.conditions) ? target.conditions.map((c: any) => c?.query?.params?.[0]).filter((r: unknown) => typeof r === 'string') : [];
  return [...new Set([...named, ...conditions])];
}

/** Hidden targets that shown expressions need, over any number of steps. */
export function hiddenInputs(targets: readonly Target[], isExpr: (target: Target) => boolean): Set<string> {
  const needed = new Set<string>();
  const waiting = targets.filter((t) => !t.hide && isExpr(t));
  for (let target = waiting.pop(); target; target = waiting.pop())
    for (const ref of refsOf(target)) {
      if (needed.has(ref)) continue;
      needed.add(ref);
      waiting.push(...targets.filter((t) => t.refId === ref && isExpr(t)));
    }
  return needed;
}

/** With the dashboard's variables filled in; `$A` is the query where there is one of that name. */
export function buildExpression(target: Target, scope: Scope, refIds: ReadonlySet<string>): Target {
  const variables = new Map([...scope].filter(([name]) => !refIds.has(name)));
  const filled = Object.fromEntries(['expression', 'window'].flatMap((key) => (typeof target[key] === 'string' ? [[key, interpolate(target[key] as string, variables, 'raw')]] : [])));
  return { ...target, ...filled };
}
