/** Where a query is wrong, read from the messages of Prometheus and Loki. */

export interface ErrorPosition {
  /** Offsets into the text; `to` is open. */
  from: number;
  to: number;
}

const PATTERNS = [
  /** Prometheus: `1:6: parse error: ...`. */
  /(?:^|[\s"])(\d+):(\d+): parse error/,
  /** Loki: `parse error at line 1, col 5: ...`. */
  /parse error at line (\d+), col (\d+)/,
];

/** The word at the named line and column; undefined where the message names none. Columns count from 1. */
export function errorPosition(message: string, text: string): ErrorPosition | undefined {
  for (const pattern of PATTERNS) {
    const match = pattern.exec(message);
    if (!match) continue;
    const lines = text.split('\n');
    const line = Math.min(lines.length, Math.max(1, Number(match[1])));
    const start = lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0);
    const from = Math.min(text.length, start + Math.max(0, Number(match[2]) - 1));
    const word = /^[\w:.]+|^./.exec(text.slice(from))?.[0].length ?? 0;
    return word ? { from, to: from + word } : { from: Math.max(0, text.length - 1), to: text.length };
  }
  return undefined;
}
