/** Every series' points below each other, with the series' name in a column, newest first. */
import { displayName } from '../displayName';
import type { Frame } from '../frames';
import type { Transformer } from './types';

export const seriesToRows: Transformer = (frames) => {
  const filled = frames.filter((f) => f.length > 0);
  if (!filled.length || !filled.every((f) => f.fields.some((x) => x.type === 'time') && f.fields.some((x) => x.type === 'number'))) return filled;
  const rows = filled.flatMap((frame) => {
    const at = frame.fields.findIndex((f) => f.type === 'time');
    const [time, value, metric] = [frame.fields[at], frame.fields[at === 0 ? 1 : 0], frameName(frame)];
    return time.values.map((t, i) => ({ time: t as number, metric, value: value.values[i] }));
  });
  rows.sort((a, b) => b.time - a.time);
  const like = filled[0].fields.find((f) => f.type !== 'time')!;
  const { displayName: _fixed, displayNameFromDS: _legend, ...config } = like.config;
  return [
    {
      refId: `seriesToRows-${filled.map((f) => f.refId).join('-')}`,
      length: rows.length,
      fields: [
        { name: 'Time', type: 'time', config: {}, values: rows.map((r) => r.time) },
        { name: 'Metric', type: 'string', config: {}, values: rows.map((r) => r.metric) },
        { name: 'Value', type: like.type, config, values: rows.map((r) => r.value) },
      ],
    },
  ];
};

/** Its own, or that of its only value. */
function frameName(frame: Frame): string {
  if (frame.name) return frame.name;
  return frame.fields.filter((f) => f.type !== 'time').map((f) => displayName(f, frame)).join(', ');
}
