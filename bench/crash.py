"""kill -9 rounds, the long form: `python -m bench.crash --rounds 200 --seed 1`. Prints a line per ten rounds, fails loudly."""

import argparse
import tempfile
from pathlib import Path

from spyglass.testing.crash import crash_round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    scrapes = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            # A fresh store now and then: the first moments are as dangerous as the later ones.
            scrapes = crash_round(Path(folder, str(number // 25)), options.seed + number)
            if number % 10 == 9:
                print(f"round {number + 1}: {scrapes} scrapes of 40 series are whole", flush=True)


if __name__ == "__main__":
    main()
