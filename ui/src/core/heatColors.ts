/** Colours of heatmaps: schemes by Grafana's names, in steps, or one colour that gets denser. */
import { gradientColor, resolveColor, withAlpha, type ThemeName } from './colors';

/** From few to many on a light page, unless `turn` says otherwise. Stops after ColorBrewer (Apache-2.0) and matplotlib (CC0). */
const SCHEMES: Record<string, { stops: string; turn?: 'always' | 'light' }> = {
  Spectral: { stops: 'd53e4f fc8d59 fee08b ffffbf e6f598 99d594 3288bd', turn: 'always' },
  RdYlGn: { stops: 'd73027 fc8d59 fee08b ffffbf d9ef8b 91cf60 1a9850', turn: 'always' },
  Blues: { stops: 'f7fbff c6dbef 6baed6 2171b5 08306b' },
  Greens: { stops: 'f7fcf5 c7e9c0 74c476 238b45 00441b' },
  Greys: { stops: 'ffffff d9d9d9 969696 525252 000000' },
  Oranges: { stops: 'fff5eb fdd0a2 fd8d3c d94801 7f2704' },
  Purples: { stops: 'fcfbfd dadaeb 9e9ac8 6a51a3 3f007d' },
  Reds: { stops: 'fff5f0 fcbba1 fb6a4a cb181d 67000d' },
  Turbo: { stops: '30123b 4675ed 1bcfd4 61fc6c d1e834 fe9b2d d93806 7a0402', turn: 'light' },
  Cividis: { stops: '00204c 31446b 666970 958f78 cbba69 ffe945', turn: 'light' },
  Viridis: { stops: '440154 414487 2a788e 22a884 7ad151 fde725', turn: 'light' },
  Magma: { stops: '000004 3b0f70 8c2981 de4968 fe9f6d fcfdbf', turn: 'light' },
  Inferno: { stops: '000004 420a68 932667 dd513a fca50a fcffa4', turn: 'light' },
  Plasma: { stops: '0d0887 6a00a8 b12a90 e16462 fca636 f0f921', turn: 'light' },
  Warm: { stops: '6e40aa bf3caf fe4b83 ff7847 e2b72f aff05b', turn: 'light' },
  Cool: { stops: '6e40aa 4c6edb 23abd8 1ddfa3 52f667 aff05b', turn: 'light' },
  Cubehelix: { stops: '000000 1a2442 1d5e46 6c7b30 cf7e78 caa6ec d2eeef ffffff', turn: 'light' },
  BuGn: { stops: 'f7fcfd ccece6 66c2a4 238b45 00441b' },
  BuPu: { stops: 'f7fcfd bfd3e6 8c96c6 88419d 4d004b' },
  GnBu: { stops: 'f7fcf0 ccebc5 7bccc4 2b8cbe 084081' },
  OrRd: { stops: 'fff7ec fdd49e fc8d59 d7301f 7f0000' },
  PuBuGn: { stops: 'fff7fb d0d1e6 67a9cf 02818a 014636' },
  PuBu: { stops: 'fff7fb d0d1e6 74a9cf 0570b0 023858' },
  PuRd: { stops: 'f7f4f9 d4b9da df65b0 ce1256 67001f' },
  RdPu: { stops: 'fff7f3 fcc5c0 f768a1 ae017e 49006a' },
  YlGnBu: { stops: 'ffffd9 c7e9b4 41b6c4 225ea8 081d58' },
  YlGn: { stops: 'ffffe5 d9f0a3 78c679 238443 004529' },
  YlOrBr: { stops: 'ffffe5 fee391 fe9929 cc4c02 662506' },
  YlOrRd: { stops: 'ffffcc fed976 fd8d3c e31a1c 800026' },
  Rainbow: { stops: '6e40aa fe4b83 e2b72f 52f667 23abd8 6e40aa', turn: 'always' },
  Sinebow: { stops: 'ff4040 bfa000 40ff40 00a0bf 4040ff bf00a0 ff4040', turn: 'always' },
};

export interface HeatColorOptions {
  mode?: string;
  scheme?: string;
  fill?: string;
  scale?: string;
  exponent?: number;
  steps?: number;
  reverse?: boolean;
  min?: number | null;
  max?: number | null;
}

export interface HeatColors {
  /** What is drawn for a value. */
  of: (value: number) => string;
  /** From the lowest to the highest, for a legend. */
  stops: string[];
  min: number;
  max: number;
}

/** `extent`: of the data; the options' limits are stronger. */
export function heatColors(options: HeatColorOptions | undefined, extent: { min: number; max: number }, theme: ThemeName): HeatColors {
  const number = (v: unknown, otherwise: number) => (v === null || v === undefined || v === '' || Number.isNaN(Number(v)) ? otherwise : Number(v));
  const [min, max] = [number(options?.min, extent.min), number(options?.max, extent.max)];
  const stops = options?.mode === 'opacity' ? opacityStops(options, theme) : schemeStops(options, theme);
  const of = (value: number) => {
    const share = max > min ? (value - min) / (max - min) : 1;
    return stops[Math.min(stops.length - 1, Math.max(0, Math.floor(share * stops.length)))];
  };
  return { of, stops, min, max };
}

const stepCount = (options: HeatColorOptions | undefined, most: number) => Math.round(Math.min(most, Math.max(2, Number(options?.steps) || 64)));

function schemeStops(options: HeatColorOptions | undefined, theme: ThemeName): string[] {
  const { stops: text, turn } = SCHEMES[options?.scheme ?? ''] ?? SCHEMES.Oranges;
  const stops = text.split(' ').map((hex) => `#${hex}`);
  // What is few should be close to the page: dark on the dark one, light on the light one.
  const turned = turn === 'always' || (turn === 'light') === (theme === 'light');
  const steps = stepCount(options, 128);
  const colors = Array.from({ length: steps }, (_, i) => gradientColor(stops, i / (steps - 1)));
  return turned !== (options?.reverse === true) ? colors.reverse() : colors;
}

function opacityStops(options: HeatColorOptions, theme: ThemeName): string[] {
  const fill = resolveColor(options.fill ?? 'dark-orange', theme);
  const exponent = options.scale === 'linear' ? 1 : Number(options.exponent) > 0 ? Number(options.exponent) : 0.5;
  return Array.from({ length: 64 }, (_, i) => withAlpha(fill, Number((((i + 1) / 64) ** exponent).toFixed(3))));
}
