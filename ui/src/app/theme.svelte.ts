/** Light or dark: what the system prefers, unless chosen by hand. */
import type { ThemeName } from '../core/colors';

export type ThemeChoice = 'system' | ThemeName;

const KEY = 'spyglass.theme';

class Theme {
  choice = $state<ThemeChoice>(stored());
  #systemDark = $state(matchMedia('(prefers-color-scheme: dark)').matches);
  /** The theme in use. */
  name = $derived<ThemeName>(this.choice === 'system' ? (this.#systemDark ? 'dark' : 'light') : this.choice);

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', (event) => (this.#systemDark = event.matches));
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    if (choice === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  }
}

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new Theme();

const tokens = new Map<string, string>();

/** A token's value now, for canvases. Kept for each theme: to ask the page makes it work out the styles of all that has changed. */
export function token(name: string): string {
  const key = `${theme.name} ${name}`;
  let value = tokens.get(key);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    tokens.set(key, value);
  }
  return value;
}
