"""Starting again over a full log: how long a store of ten thousand series and most of a million samples needs.

CPU seconds, because a machine that runs tests does other things too. The bounds are the product's: a second after a clean stop, five
seconds per ten million samples of log after a crash.
"""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from spyglass.model.labels import labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import WriteBatch
from spyglass.protocols.metric_store import SelectHints
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.metric_store_suite import T0, UnlimitedBudget

SERIES, SCRAPES = 10_000, 90
LABELS = [
    labels_of({"__name__": f"metric_{n % 50}", "instance": f"host-{n // 50}", "job": "node"}) for n in range(SERIES)
]


def opened(folder: Path) -> DiskMetricStore:
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0)
    return DiskMetricStore(folder, files=RealFiles(), clock=SystemClock(), options=options)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(the folder after a clean stop, what a crash just before it would have left)."""
    clean, crashed = tmp_path_factory.mktemp("restart") / "clean", tmp_path_factory.mktemp("restart") / "crashed"
    store = opened(clean)
    refs = store.resolve(LABELS)
    for number in range(SCRAPES):
        values = np.arange(SERIES, dtype=np.float64) * number
        store.append(WriteBatch(refs, np.full(SERIES, T0 + number * 15_000), values), durable=number == SCRAPES - 1)
    shutil.copytree(clean, crashed)
    store.close()
    return clean, crashed


def samples(store: DiskMetricStore) -> int:
    everything = [Matcher.of("__name__", "=~", ".+")]
    end = T0 + SCRAPES * 15_000
    selection = store.select(everything, start_ms=T0, end_ms=end, hints=SelectHints(), budget=UnlimitedBudget())
    return sum(int(piece.values.size) for piece in selection.pieces)


def test_after_a_crash_the_log_is_read_at_two_million_samples_a_second(
    stopped: tuple[Path, Path], tmp_path: Path
) -> None:
    """Everything that was acknowledged is there, half a second later. The best of three: what else the machine does only adds."""
    spent = []
    for attempt in range(3):
        folder = shutil.copytree(stopped[1], tmp_path / str(attempt))
        began = time.process_time()
        store = opened(folder)
        spent.append(time.process_time() - began)
        assert samples(store) == SERIES * SCRAPES
        store.close()
    assert min(spent) < 5 * SERIES * SCRAPES / 10e6, spent


def test_after_a_clean_stop_a_store_is_ready_within_a_second(stopped: tuple[Path, Path]) -> None:
    """However full the head was."""
    began = time.process_time()
    store = opened(stopped[0])
    assert time.process_time() - began < 1.0
    assert samples(store) == SERIES * SCRAPES
    store.close()


def test_a_clean_stop_leaves_blocks_and_hardly_any_log(stopped: tuple[Path, Path]) -> None:
    """What was in memory is in a block, a small part of the log's size; after a crash the log holds it."""
    clean, crashed = stopped

    def size(folder: Path, pattern: str) -> int:
        return sum(path.stat().st_size for path in folder.rglob(pattern))

    assert size(crashed, "*.journal") > 10 * (size(clean, "*.journal") + size(clean, "*.block"))
    assert size(clean, "*.journal") < 1 << 20
