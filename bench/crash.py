"""kill -9 rounds, the long form, and a table of what the kills left.

    python -m bench.crash --rounds 200 --seed 1 --seconds 900

Stops at the first lost, doubled or halved scrape, with its seed, and after `--seconds` in any case.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spyglass.testing.crash import CrashRound, crash_round

ROUNDS_PER_STORE = 25
"""A fresh store now and then: the first moments are as dangerous as the later ones."""


def rounds(count: int, seed: int, seconds: float) -> Iterator[CrashRound]:
    deadline = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            if time.monotonic() > deadline:
                return
            yield crash_round(Path(folder, str(number // ROUNDS_PER_STORE)), seed + number)
            if number % 10 == 9:
                print(f"round {number + 1}", flush=True)


def report(done: Sequence[CrashRound]) -> None:
    """The fault table. What a row counts as a fault has already ended the run: it is there so that the zeros are seen."""
    torn = [one for one in done if any("torn tail" in note for note in one.repairs)]
    aside = [one for one in done if any("set aside" in note for note in one.repairs)]
    stores = [done[at : at + ROUNDS_PER_STORE][-1] for at in range(0, len(done), ROUNDS_PER_STORE)]
    rows: Sequence[tuple[str, object]] = (
        ("kills", len(done)),
        ("stores", len(stores)),
        ("scrapes of 40 series in them at the end", sum(one.scrapes for one in stores)),
        ("acknowledged scrapes lost", 0),
        ("scrapes doubled, in part, or with other values", 0),
        ("kills between storing a scrape and saying so", sum(one.scrapes > one.acknowledged for one in done)),
        ("kills that found blocks on disk", sum(one.blocks > 0 for one in done)),
        ("logs with a torn tail, which was cut off", len(torn)),
        ("stores that set something aside", len(aside)),
        (
            "opening again, CPU ms: median / most",
            f"{_median_ms(done):.0f} / {max(one.open_s for one in done) * 1e3:.0f}",
        ),
    )
    for title, value in rows:
        print(f"{title:50}{value:>14}")


def _median_ms(done: Sequence[CrashRound]) -> float:
    return sorted(one.open_s for one in done)[len(done) // 2] * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900.0)
    options = parser.parse_args()
    report(list(rounds(options.rounds, options.seed, options.seconds)))


if __name__ == "__main__":
    main()
