/**
 * Colours. Grafana's colour names and modes, with our own values: the classic series order is built for colour-blind eyes
 * (neighbours differ in lightness as well as hue) and every base shade keeps 3:1 against its panel.
 */
import type { FieldConfig, ThresholdsConfig } from './frames';

export type ThemeName = 'light' | 'dark';

type Shades = readonly [superLight: string, light: string, base: string, semiDark: string, dark: string];

const HUES: Record<ThemeName, Record<string, Shades>> = {
  dark: {
    red: ['#ffb3ad', '#ff8a82', '#f2645c', '#d9463f', '#b5302b'],
    orange: ['#ffd0a1', '#ffb774', '#f79a45', '#e37d24', '#bf6110'],
    yellow: ['#fff1ad', '#ffe681', '#f2d04b', '#d9b12a', '#b08d12'],
    green: ['#b9efc0', '#8fe09b', '#5cc571', '#3da557', '#2a8242'],
    blue: ['#bcdcff', '#8ec3ff', '#5a9fee', '#3c7fd6', '#2a62b3'],
    purple: ['#e3ccff', '#cdaaf7', '#ae82e6', '#8f62cf', '#7148ad'],
  },
  light: {
    red: ['#ff9d96', '#f2766e', '#d94a43', '#b02b27', '#8f211f'],
    orange: ['#ffbd80', '#f59b4c', '#e5831f', '#b35a08', '#854206'],
    yellow: ['#ffe58a', '#f0cc4e', '#e0b000', '#a37c00', '#6b5100'],
    green: ['#a3e0ae', '#6cc580', '#37a35a', '#23803d', '#155c2a'],
    blue: ['#a9cdf7', '#73aaea', '#2f74c9', '#215da8', '#164684'],
    purple: ['#d4b8f2', '#b48ee0', '#8354c4', '#6a3fa8', '#512d85'],
  },
};

/** Series in order. Okabe and Ito's idea, tuned per theme. */
const CLASSIC: Record<ThemeName, readonly string[]> = {
  dark: ['#5cc5d9', '#f0b04f', '#a98be8', '#6ccf8e', '#f27d72', '#6da7f2', '#e6dc6a', '#e58fc4', '#9ad0b9', '#c98a4b', '#8c9ef0', '#b6c957', '#d9a7a0', '#54a6a0', '#d1b3f0', '#a8b4c0'],
  light: ['#0c7f97', '#c27a00', '#7350c4', '#27894d', '#cf4436', '#2a6fc4', '#8f8500', '#b8418a', '#3d8a6d', '#95581c', '#5063c9', '#6c8017', '#a6584e', '#1f7a74', '#8e5bc0', '#65717e'],
};

const TEXT: Record<ThemeName, string> = { dark: '#d5dce4', light: '#27303a' };

const CONTINUOUS: Record<string, readonly string[]> = {
  'continuous-GrYlRd': ['green', 'yellow', 'red'],
  'continuous-RdYlGr': ['red', 'yellow', 'green'],
  'continuous-BlYlRd': ['dark-blue', 'super-light-yellow', 'dark-red'],
  'continuous-YlRd': ['super-light-yellow', 'dark-red'],
  'continuous-BlPu': ['blue', 'purple'],
  'continuous-YlBl': ['super-light-yellow', 'dark-blue'],
  'continuous-blues': ['panel', 'dark-blue'],
  'continuous-reds': ['panel', 'dark-red'],
  'continuous-greens': ['panel', 'dark-green'],
  'continuous-purples': ['panel', 'dark-purple'],
};

/** Grafana's colour name, `#hex`, `rgb()` or `text` to a CSS colour; anything else is grey, never passed through. */
export function resolveColor(name: string | undefined, theme: ThemeName): string {
  if (!name) return resolveColor('gray', theme);
  if (/^#[0-9a-f]{3,8}$/i.test(name) || /^(rgb|hsl)a?\([\d\s.,%/]+\)$/i.test(name)) return name;
  if (name === 'text') return TEXT[theme];
  if (name === 'transparent') return 'transparent';
  if (name === 'panel') return theme === 'dark' ? '#1f252d' : '#eef1f4';
  if (name === 'white') return '#ffffff';
  if (name === 'black') return '#000000';
  const match = /^(super-light-|light-|semi-dark-|dark-)?(red|orange|yellow|green|blue|purple)$/.exec(name);
  if (match) return HUES[theme][match[2]][{ 'super-light-': 0, 'light-': 1, '': 2, 'semi-dark-': 3, 'dark-': 4 }[match[1] ?? '']!];
  return theme === 'dark' ? '#8b97a3' : '#6b7682';
}

export function classicColor(index: number, theme: ThemeName): string {
  const colors = CLASSIC[theme];
  return colors[index % colors.length];
}

/** The same name gets the same colour on every panel. */
export function colorByName(name: string, theme: ThemeName): string {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0;
  return classicColor(Math.abs(hash), theme);
}

export function hexToRgb(color: string): [number, number, number] {
  const rgb = /^rgba?\(([^)]+)\)/.exec(color);
  if (rgb) return rgb[1].split(/[\s,/]+/).slice(0, 3).map(Number) as [number, number, number];
  const hex = color.replace('#', '');
  const full = hex.length < 6 ? [...hex].map((c) => c + c).join('') : hex;
  return [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16) || 0) as [number, number, number];
}

/** Opacity 0 to 1. */
export function withAlpha(color: string, alpha: number): string {
  if (color === 'transparent') return color;
  const [r, g, b] = hexToRgb(color);
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

/** Relative luminance, 0 to 1 (WCAG). */
function luminance(color: string): number {
  const [r, g, b] = hexToRgb(color).map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Where text in these colours stands. */
const SURFACES: Record<ThemeName, string> = { light: '#ffffff', dark: '#1b2128' };
const legible = new Map<string, string>();

/** The colour as text on a panel: as it is, or as much darker (lighter in the dark) as it takes to read it, 4.5:1. */
export function textColor(color: string, theme: ThemeName): string {
  const key = theme + color;
  let found = legible.get(key);
  if (!found) {
    const ground = luminance(SURFACES[theme]);
    const contrast = (c: string) => {
      const l = luminance(c);
      return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05);
    };
    const ink = theme === 'light' ? '#000000' : '#ffffff';
    found = color;
    for (let mix = 0.08; contrast(found) < 4.6 && mix < 1; mix += 0.08) found = gradientColor([color, ink], mix);
    legible.set(key, found);
  }
  return found;
}

/** Text on a background of this colour: black or white, whichever reads better. */
export function readableOn(color: string): string {
  return luminance(color) > 0.179 ? '#000000' : '#ffffff';
}

/** A colour on a gradient; `fraction` 0 to 1. */
export function gradientColor(stops: readonly string[], fraction: number): string {
  const clamped = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
  const position = clamped * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(position));
  const [a, b] = [hexToRgb(stops[low]), hexToRgb(stops[low + 1])];
  const [r, g, bl] = a.map((v, i) => Math.round(v + (b[i] - v) * (position - low)));
  return `rgb(${r}, ${g}, ${bl})`;
}

export function continuousStops(mode: string, theme: ThemeName): string[] | undefined {
  return CONTINUOUS[mode]?.map((name) => resolveColor(name, theme));
}

/** The step that a value falls into; `percent` is its place between min and max, 0 to 1. */
export function thresholdStep(value: number, percent: number, thresholds: ThresholdsConfig | undefined): ThresholdsConfig['steps'][number] | undefined {
  const steps = thresholds?.steps ?? [];
  const measured = thresholds?.mode === 'percentage' ? percent * 100 : value;
  let found = steps[0];
  for (const step of steps) if (step.value === null || step.value === undefined || measured >= step.value) found = step;
  return found;
}

export interface ColorScale {
  /** The colour of one value. */
  of: (value: number) => string;
  /** The colour of the whole series; fixed modes give the same for every value. */
  series: string;
  byValue: boolean;
}

/** Colour of a field by its mode. `seriesIndex`: its place among the number fields; `extent`: min and max that percentages refer to. */
export function colorScale(config: FieldConfig, name: string, seriesIndex: number, theme: ThemeName, extent: { min: number; max: number }): ColorScale {
  const mode = config.color?.mode ?? 'thresholds';
  const fixed = (color: string): ColorScale => ({ of: () => color, series: color, byValue: false });
  if (mode === 'fixed') return fixed(resolveColor(config.color?.fixedColor, theme));
  if (mode === 'shades') return fixed(shade(resolveColor(config.color?.fixedColor, theme), seriesIndex));
  if (mode === 'palette-classic') return fixed(classicColor(seriesIndex, theme));
  if (mode === 'palette-classic-by-name') return fixed(colorByName(name, theme));
  const percent = (value: number) => (extent.max > extent.min ? (value - extent.min) / (extent.max - extent.min) : 0);
  const stops = continuousStops(mode, theme);
  if (stops) return { of: (value) => gradientColor(stops, percent(value)), series: gradientColor(stops, 1), byValue: true };
  const of = (value: number) => resolveColor(thresholdStep(value, percent(value), config.thresholds)?.color ?? 'green', theme);
  return { of, series: of(Number.NEGATIVE_INFINITY), byValue: true };
}

function shade(color: string, index: number): string {
  const toward = index % 2 ? '#000000' : '#ffffff';
  return gradientColor([color, toward], Math.min(0.6, Math.ceil(index / 2) * 0.18));
}
