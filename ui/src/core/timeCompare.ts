/** An earlier stretch of time drawn over the present one (`timeCompare`): which stretch, and its series moved to where they are compared. */
import { displayName } from './displayName';
import type { Frame } from './frames';
import { durationMs, type TimeRange } from './time';

const PERIOD_BEFORE = '__previousPeriod';

/** Grafana's values. */
export const COMPARISONS: readonly { value: string; label: string }[] = [
  { value: '', label: 'Nothing' },
  { value: PERIOD_BEFORE, label: 'The period before' },
  { value: '24h', label: 'The day before' },
  { value: '1w', label: 'The week before' },
  { value: '1M', label: 'The month before' },
];

/** Whether a panel offers a comparison. */
export const offersComparison = (option: any): boolean => (typeof option === 'object' && option ? option.timeCompare === true : Boolean(option));

/** How far back, ms; undefined: no comparison. A panel that only offers one (`true`) begins without. */
export function comparedBack(choice: unknown, range: TimeRange): number | undefined {
  if (typeof choice !== 'string' || !choice) return undefined;
  const back = choice === PERIOD_BEFORE ? range.to - range.from : durationMs(choice);
  return back && back > 0 ? back : undefined;
}

/** Series of the stretch before, moved forward by `backMs`; dashed, and in the colour of the series of their name. */
export function comparedFrames(frames: readonly Frame[], backMs: number, colorOf: (name: string) => string | undefined): Frame[] {
  return frames.map((frame) => ({
    ...frame,
    refId: `${frame.refId ?? ''}-compare`,
    fields: frame.fields.map((field) => {
      if (field.type === 'time') return { ...field, values: field.values.map((t) => t + backMs) };
      const name = displayName(field, frame, frames);
      const { config } = field;
      const fixedColor = colorOf(name);
      const custom = { ...config.custom, lineStyle: { fill: 'dash', dash: [6, 5] }, fillOpacity: 0, stacking: undefined, thresholdsStyle: undefined, showValues: false };
      return { ...field, config: { ...config, displayName: `${name} (before)`, custom, color: fixedColor ? { mode: 'fixed', fixedColor } : config.color } };
    }),
  }));
}
