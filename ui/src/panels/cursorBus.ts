/** The time under the pointer, shared by the panels of a page. */

type Listener = (timeMs: number | null, source: object) => void;

export class CursorBus {
  #listeners = new Set<Listener>();

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `source` is told apart by identity, so that a panel does not follow itself. */
  publish(timeMs: number | null, source: object): void {
    for (const listener of this.#listeners) listener(timeMs, source);
  }
}
