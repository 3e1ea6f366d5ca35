/** Lines from before those that a query's limit let through: asked for when the end of the list is near, within the range that was asked for. */
import type { Frame } from '../../core/frames';
import { logRows, type LogRow } from '../../core/logs';
import type { TimeRange } from '../../core/time';

export type Ask = (range: TimeRange, signal: AbortSignal) => Promise<Frame[]>;

export class OlderLines {
  /** Newest first, after those of the panel's own answer. */
  rows = $state.raw<LogRow[]>([]);
  /** `end`: there are no older ones. */
  state = $state<'waiting' | 'asking' | 'end'>('waiting');
  error = $state('');
  #abort = new AbortController();
  #round = 0;

  /** A new answer came: what was found belongs to the one before. */
  restart(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    [this.rows, this.state, this.error] = [[], 'waiting', ''];
  }

  /** `newest`: the rows of the panel's answer, newest first; `range`: what it was asked for. */
  async more(ask: Ask, newest: readonly LogRow[], range: TimeRange): Promise<void> {
    const oldest = (this.rows.at(-1) ?? newest.at(-1))?.timeMs;
    if (this.state !== 'waiting' || oldest === undefined) return;
    if (oldest <= range.from) {
      this.state = 'end';
      return;
    }
    [this.state, this.error] = ['asking', ''];
    const { signal } = this.#abort;
    try {
      // The end is left out of the answer, and of its last millisecond there may be more: those that are here already are dropped.
      const found = logRows(await ask({ from: range.from, to: oldest + 1 }, signal), 'Descending');
      if (signal.aborted) return;
      const added = unseen(found, [...newest, ...this.rows], oldest, (this.#round += 1));
      this.rows = [...this.rows, ...added];
      this.state = added.length ? 'waiting' : 'end';
    } catch (error) {
      if (!signal.aborted) [this.state, this.error] = ['end', (error as Error).message];
    }
  }
}

/** Those of `found` that are not among `here`, which can only be lines of the millisecond where both meet. Their keys are made unlike those of other rounds. */
export function unseen(found: readonly LogRow[], here: readonly LogRow[], meetingMs: number, round: number): LogRow[] {
  const identity = (row: LogRow) => `${row.timeNs} ${row.line} ${JSON.stringify(row.labels)}`;
  const seen = new Set(here.filter((row) => row.timeMs <= meetingMs).map(identity));
  return found.filter((row) => row.timeMs < meetingMs || !seen.has(identity(row))).map((row) => ({ ...row, key: `older${round}:${row.key}` }));
}

/** Whether a limit may have kept lines back. */
export function isCut(frames: readonly Frame[]): boolean {
  return frames.some((f) => typeof f.meta?.limit === 'number' && f.length >= f.meta.limit);
}
