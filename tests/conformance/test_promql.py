"""Upstream's PromQL test scripts, whole, against every store that we have.

The scripts are not part of this repository: SPYGLASS_CONFORMANCE names their folder (default ../shared/conformance).
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance

from spyglass.protocols.metric_store import MetricStore
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.start_timestamps import StartTimestampStore
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.promqltest.runner import Report, run_script
from spyglass.testing.promqltest.targets import EngineTarget

SCRIPTS = sorted((CONFORMANCE / "promql").glob("*.test"))
_YEARS_MS = 10**13
"""Scripts jump years ahead and come back; a window that long takes samples of any age."""

Factory = Callable[[], MetricStore]

_reports: dict[tuple[str, str], Report] = {}


def _disk_options(rollup_share: int) -> MetricStoreOptions:
    return MetricStoreOptions(
        retention_ms=0,
        out_of_order_window_ms=_YEARS_MS,
        max_block_range_ms=62 * 86_400_000,
        rollup_share=rollup_share,
    )


@pytest.fixture(scope="module", autouse=True)
def _table() -> Iterator[None]:
    """Print what ran: script, store, cases, passed."""
    yield
    if not _reports:
        return
    print(f"\n{'script':28}{'store':10}{'cases':>7}{'passed':>8}")
    for (script, store), report in sorted(_reports.items()):
        print(f"{script:28}{store:10}{report.cases:>7}{report.passed:>8}")
    cases, passed = sum(r.cases for r in _reports.values()), sum(r.passed for r in _reports.values())
    print(f"{'all':38}{cases:>7}{passed:>8}")


def _targets(tmp_path: Path) -> dict[str, EngineTarget]:
    numbers = count()

    def one(rollup_share: int) -> DiskMetricStore:
        folder = tmp_path / str(next(numbers))
        return DiskMetricStore(folder, files=RealFiles(), clock=SystemClock(), options=_disk_options(rollup_share))

    def disk(rollup_share: int = 0) -> StartTimestampStore:
        return StartTimestampStore(one(rollup_share), one(0))

    def into_blocks(store: MetricStore) -> None:
        assert isinstance(store, StartTimestampStore)
        for part in store.parts:
            assert isinstance(part, DiskMetricStore)
            part.flush()
            part.compact()

    def memory() -> StartTimestampStore:
        samples, starts = (MemoryMetricStore(out_of_order_window_ms=_YEARS_MS) for _ in range(2))
        return StartTimestampStore(samples, starts)

    return {
        "memory": EngineTarget(memory),
        "head": EngineTarget(disk),
        "blocks": EngineTarget(disk, after_write=into_blocks),
        # Rollups of all series that can have one, however few their samples.
        "rollups": EngineTarget(lambda: disk(1), after_write=into_blocks),
    }


@needs_conformance
@pytest.mark.parametrize("store", ["memory", "head", "blocks", "rollups"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_passes(script: Path, store: str, tmp_path: Path) -> None:
    """Every eval of the script gives what upstream says."""
    report = run_script(script.read_text(encoding="utf-8"), _targets(tmp_path)[store])
    _reports[script.name, store] = report
    assert report.cases > 0
    assert not report.failures, "\n".join(report.failures)
