/** Fills that change with height: fading, shifting in hue, or coloured as the field's scale colours values. */
import type uPlot from 'uplot';
import { gradientColor, hexToRgb, withAlpha, type ColorScale } from '../../core/colors';
import type { FieldConfig } from '../../core/frames';

/** `mode`: opacity, hue, or scheme for fields whose colour does not depend on the value, which then fade. Without one, plain. */
export function gradientFill(color: string, opacity: number, mode: string | undefined): uPlot.Series.Fill {
  if (!mode || mode === 'none') return withAlpha(color, opacity);
  const [top, bottom] = mode === 'hue' ? [withAlpha(turned(color, 30), opacity), withAlpha(turned(color, -30), opacity)] : [withAlpha(color, Math.min(1, opacity * 1.6)), withAlpha(color, opacity * 0.1)];
  return (u) => {
    const { top: from, height } = u.bbox;
    if (!Number.isFinite(from + height) || height <= 0) return withAlpha(color, opacity);
    const gradient = u.ctx.createLinearGradient(0, from, 0, from + height);
    gradient.addColorStop(0, top);
    gradient.addColorStop(1, bottom);
    return gradient;
  };
}

/** Each height has the colour of its value: thresholds change at once, continuous scales run. `plain`: where there is no axis yet. */
export function schemeFill(scale: ColorScale, config: FieldConfig, scaleKey: string, opacity: number, plain: string): (u: uPlot) => string | CanvasGradient {
  return (u) => {
    const { min, max } = u.scales[scaleKey] ?? {};
    const { top, height } = u.bbox;
    if (typeof min !== 'number' || typeof max !== 'number' || !(max > min) || !(height > 0) || !Number.isFinite(top)) return withAlpha(plain, opacity);
    const gradient = u.ctx.createLinearGradient(0, top + height, 0, top);
    for (const { at, color } of schemeStops(scale, config, min, max, (v) => (u.valToPos(min, scaleKey, true) - u.valToPos(v, scaleKey, true)) / height)) gradient.addColorStop(at, withAlpha(color, opacity));
    return gradient;
  };
}

const SAMPLES = 16;

/** Stops from the bottom, 0, to the top, 1. `place`: where a value stands. */
export function schemeStops(scale: ColorScale, config: FieldConfig, min: number, max: number, place: (v: number) => number): { at: number; color: string }[] {
  const clamp = (v: number) => Math.min(1, Math.max(0, v));
  if (config.color?.mode?.startsWith('continuous')) return Array.from({ length: SAMPLES + 1 }, (_, i) => min + ((max - min) * i) / SAMPLES).map((v) => ({ at: clamp(place(v)), color: scale.of(v) }));
  const absolute = (v: number) => (config.thresholds?.mode === 'percentage' ? (config.min ?? min) + (v / 100) * ((config.max ?? max) - (config.min ?? min)) : v);
  const edges = (config.thresholds?.steps ?? []).flatMap((s) => (typeof s.value === 'number' ? [absolute(s.value)] : [])).filter((v) => v > min && v < max);
  const pieces = [min, ...edges, max];
  return pieces.slice(0, -1).flatMap((from, i) => {
    const color = scale.of(from);
    return [{ at: clamp(place(from)), color }, { at: clamp(place(pieces[i + 1])), color }];
  });
}

/** The colour turned on the wheel by some degrees, as bright as before. */
function turned(color: string, degrees: number): string {
  const [r, g, b] = hexToRgb(color).map((v) => v / 255);
  const [max, min] = [Math.max(r, g, b), Math.min(r, g, b)];
  if (max === min) return gradientColor([color, degrees > 0 ? '#ffffff' : '#000000'], 0.25);
  const d = max - min;
  const hue = max === r ? ((g - b) / d + 6) % 6 : max === g ? (b - r) / d + 2 : (r - g) / d + 4;
  const turnedHue = ((hue * 60 + degrees + 360) % 360) / 60;
  const part = (n: number) => {
    const k = (n + turnedHue) % 6;
    return Math.round((max - d * Math.max(0, Math.min(k, 4 - k, 1))) * 255);
  };
  return `rgb(${part(5)}, ${part(3)}, ${part(1)})`;
}
