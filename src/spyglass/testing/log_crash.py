"""kill -9 for the log store: every acknowledged line must be there, once, whatever the store was doing.

A child appends, cuts blocks and merges without pause, and is killed.
The child runs this module (`python -m spyglass.testing.log_crash FOLDER FIRST_BATCH`) and prints the number of each batch once `append`
has returned. Blocks are tiny, so that a kill often falls between publishing a block and truncating the journal.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path

from spyglass.model.labels import labels_of
from spyglass.protocols.log_store import LogEntry
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores
from spyglass.testing.log_store_suite import SECOND, T0, read

BATCH_LINES = 25
OPTIONS = LogStoreOptions(hot_rows=200, min_free_bytes=0)


def batch(number: int) -> list[LogEntry]:
    """Lines that name their batch; every third batch is older than the one before."""
    at = T0 + (number - 2 * (number % 3 == 0)) * SECOND
    return [LogEntry(at + i, f'{{"batch":{number},"line":{i},"level":"info"}}') for i in range(BATCH_LINES)]


def write_for_ever(folder: Path, first: int) -> None:
    """The child's work."""
    stores = _open(folder)
    store = stores.store()
    for number in count(first):
        labels = labels_of({"app": f"a{number % 3}"})
        store.append([(labels, batch(number))])
        # A sender that did not hear the answer sends again.
        store.append([(labels, batch(number))])
        print(number, flush=True)
        if number % 5 == 0:
            stores.maintain(T0)


def crash_round(folder: Path, seed: int, first: int) -> int:
    """Run a child from batch `first` on, kill it at a random moment, check the store. Returns the next round's first batch.

    Raises: AssertionError that names what is missing, doubled or halved.
    """
    acknowledged = _run_and_kill(folder, random.Random(seed), first)
    stores = _open(folder)
    try:
        lines = Counter(line for _, _, line, _ in read(stores.store()))
    finally:
        stores.close()
    doubled = [line for line, times in lines.items() if times > 1]
    assert not doubled, f"seed {seed}: stored more than once: {doubled[:3]}"
    present = Counter(int(line.split(",")[0].split(":")[1]) for line in lines)
    halved = [number for number, size in present.items() if size != BATCH_LINES]
    assert not halved, f"seed {seed}: batches stored by halves: {halved[:3]}"
    missing = [number for number in range(acknowledged + 1) if number not in present]
    assert not missing, f"seed {seed}: acknowledged and lost: {missing[:3]}"
    return max(present, default=-1) + 1


def _run_and_kill(folder: Path, rng: random.Random, first: int) -> int:
    """Returns the last acknowledged batch."""
    command = [sys.executable, "-m", "spyglass.testing.log_crash", str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        last = child.stdout.readline()
        assert last, "the child did not start"
        time.sleep(rng.uniform(0, 0.25))
        child.kill()
        heard = [last, *child.stdout.readlines()]
    complete = [line for line in heard if line.endswith("\n")]
    return int(complete[-1])


def _open(folder: Path) -> DiskLogStores:
    return open_log_stores(folder, files=RealFiles(), clock=SystemClock(), options=OPTIONS)


if __name__ == "__main__":
    write_for_ever(Path(sys.argv[1]), int(sys.argv[2]))
