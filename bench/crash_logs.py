"""kill -9 of the log store, many times: `python bench/crash_logs.py [rounds] [seed]`. Stops at the first lost, doubled or halved line."""

import sys
import tempfile
import time
from pathlib import Path

from spyglass.testing.log_crash import BATCH_LINES, crash_round

ROUNDS_PER_FOLDER = 20


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    started, lines = time.monotonic(), 0
    for block in range(0, rounds, ROUNDS_PER_FOLDER):
        with tempfile.TemporaryDirectory(prefix="crash-logs-") as folder:
            first = 0
            for number in range(block, min(block + ROUNDS_PER_FOLDER, rounds)):
                first = crash_round(Path(folder), seed * 1_000_003 + number, first)
            lines += first * BATCH_LINES
            print(
                f"{min(block + ROUNDS_PER_FOLDER, rounds)} kills, {lines} lines, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    print(f"{rounds} kills, {lines} acknowledged lines: every one there, once")


if __name__ == "__main__":
    main()
