/** One row a series: its labels, and the series itself as a cell for sparklines. */
import type { Field } from '../frames';
import { makeFrame, timeField } from '../frames';
import { reduceField } from '../reduce';
import type { Transformer } from './types';

export const timeSeriesTable: Transformer = (frames, options) => {
  const byRef = Map.groupBy(
    frames.filter((f) => timeField(f) && f.fields.some((x) => x.type === 'number')),
    (f) => f.refId ?? 'A',
  );
  const rest = frames.filter((f) => !timeField(f));
  return [
    ...[...byRef].map(([refId, members]) => {
      const series = members.flatMap((frame) => frame.fields.filter((f) => f.type === 'number').map((field) => ({ field, time: timeField(frame)! })));
      const names = [...new Set(series.flatMap((s) => Object.keys(s.field.labels ?? {})))];
      const stat: string = options[refId]?.stat ?? options.refIdToStat?.[refId] ?? 'lastNotNull';
      const labels = names.map((name): Field => ({ name, type: 'string', config: {}, values: series.map((s) => s.field.labels?.[name] ?? '') }));
      const cells = series.map(({ field, time }) => ({ ...makeFrame([{ ...time }, { ...field }]), value: reduceField(field, stat) }));
      return { refId, length: series.length, fields: [...labels, { name: `Trend${byRef.size > 1 || refId ? ` #${refId}` : ''}`, type: 'other' as const, config: {}, values: cells }] };
    }),
    ...rest,
  ];
};
