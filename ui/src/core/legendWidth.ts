/** How wide a legend beside a graph has to be, so that neither its columns are cut nor the graph pays for empty room. */
import type { Display } from './display';
import type { Field } from './frames';
import { calculation } from './reduce';

export interface MeasuredItem {
  name: string;
  field: Field;
  display: Display;
}

const CHAR_PX = 6.9;
/** Swatch, paddings, scroll bar. */
const AROUND_PX = 48;
const COLUMN_PAD_PX = 12;
const LEAST_PX = 100;
/** Longer names end in dots. */
const NAME_CHARS = 36;
/** What the others show is about as long. */
const MEASURED = 40;
/** Names get no more than this leaves; columns of numbers may take more, */
const NAMES_SHARE = 0.45;
/** up to this. */
const MOST_SHARE = 0.6;
const LEAST_NAME_PX = 76;

/** px of a panel of `width` px; at most 60 % of it. `given`: by the panel's options. */
export function legendWidth(items: readonly MeasuredItem[], calcs: readonly string[], mode: string, width: number, given?: number): number {
  if (given && given > 0) return Math.min(given, width * MOST_SHARE);
  const measured = items.slice(0, MEASURED);
  const longest = (texts: readonly string[]) => texts.reduce((most, t) => Math.max(most, t.length), 0);
  const name = Math.min(NAME_CHARS, Math.max(longest(measured.map((i) => i.name)), mode === 'table' ? 6 : 0)) * CHAR_PX;
  const columns = calcs.map((id) => {
    const calc = calculation(id);
    if (!calc) return 0;
    const texts = measured.map((i) => (calc.sameUnit ? i.display.text(calc.of(i.field.values, i.field.type)) : '0'.repeat(8)));
    // In a list each value has its name before it.
    return (mode === 'table' ? Math.max(longest(texts), calc.name.length + 2) : longest(texts) + calc.name.length + 3) * CHAR_PX + COLUMN_PAD_PX;
  });
  const numbers = columns.reduce((a, b) => a + b, 0);
  const allowed = Math.max(width * NAMES_SHARE, AROUND_PX + Math.min(name, LEAST_NAME_PX) + numbers);
  return Math.round(Math.min(width * MOST_SHARE, allowed, Math.max(LEAST_PX, AROUND_PX + name + numbers)));
}
