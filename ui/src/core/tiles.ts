/** Room for several single values in one panel: as square as they get. */

export interface Tiles {
  columns: number;
  rows: number;
  /** px */
  width: number;
  height: number;
}

/** `orientation`: `horizontal` gives rows, `vertical` columns, `auto` whichever fits the panel. `aspect`: width to height of what a tile holds; text is about 3. */
export function tiles(count: number, width: number, height: number, orientation: string, options: { gapPx?: number; aspect?: number } = {}): Tiles {
  const { gapPx = 6, aspect = 3 } = options;
  const n = Math.max(1, count);
  let columns = 1;
  if (orientation === 'vertical') columns = n;
  else if (orientation !== 'horizontal') {
    let best = -1;
    for (let c = 1; c <= n; c++) {
      const rows = Math.ceil(n / c);
      const [w, h] = [width / c, height / rows];
      const score = Math.min(w / aspect, h) - (c * rows - n) * 0.5;
      if (score > best) [best, columns] = [score, c];
    }
  }
  const rows = Math.ceil(n / columns);
  return { columns, rows, width: (width - gapPx * (columns - 1)) / columns, height: (height - gapPx * (rows - 1)) / rows };
}

/** The largest font, px, at which the text fits; digits are about 0.6 em wide. */
export function fitText(text: string, width: number, height: number, most: number, em = 0.6): number {
  return Math.max(9, Math.min(most, height, width / Math.max(1, text.length * em)));
}
