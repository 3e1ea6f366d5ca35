/** Where the pointer is, shared by the panels of a page: the crosshair follows it, and with `tooltips` the tooltips do. */

export interface SharedCursor {
  /** Epoch ms. */
  timeMs: number;
  /** Place on the panel's height, 0 at the top to 1. */
  height: number;
}

type Listener = (cursor: SharedCursor | null, source: object) => void;

export class CursorBus {
  /** Panels show their tooltip wherever the pointer is. */
  readonly tooltips: boolean;
  #listeners = new Set<Listener>();

  constructor(tooltips = false) {
    this.tooltips = tooltips;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `source` is told apart by identity, so that a panel does not follow itself. null: the pointer left. */
  publish(cursor: SharedCursor | null, source: object): void {
    for (const listener of this.#listeners) listener(cursor, source);
  }
}
