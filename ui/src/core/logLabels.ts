/** What lines have in common, and what tells them apart. */
import type { Labels } from './frames';
import { lineFields, type LogRow } from './logs';

/** Labels that all rows have with the same value. */
export function commonLabels(rows: readonly LogRow[]): Labels {
  const common = new Map(Object.entries(rows[0]?.labels ?? {}));
  let before: Labels | undefined;
  for (const { labels } of rows) {
    // Lines of one stream share one object.
    if (labels === before) continue;
    before = labels;
    for (const [name, value] of common) if (labels[name] !== value) common.delete(name);
    if (!common.size) break;
  }
  return Object.fromEntries(common);
}

/** Names of the labels in which rows differ, sorted. */
export function differingLabels(rows: readonly LogRow[]): string[] {
  const common = commonLabels(rows);
  const names = new Set<string>();
  let before: Labels | undefined;
  for (const { labels } of rows) {
    if (labels === before) continue;
    before = labels;
    for (const name of Object.keys(labels)) if (!(name in common)) names.add(name);
  }
  return [...names].sort();
}

/** In the place of the line, some of its labels and fields: `name=value`. A line that has none of them stays as it is. */
export function fieldsLine(row: LogRow, names: readonly string[]): string {
  const inside = new Map(lineFields(row.line));
  const parts = names.flatMap((name) => {
    const value = row.labels[name] ?? inside.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return parts.length ? parts.join(' ') : row.line;
}
