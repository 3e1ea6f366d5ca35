"""Exported Parquet holds the samples, and another program reads it."""

from pathlib import Path

import duckdb
import pytest

from spyglass.model.errors import StorageError
from spyglass.model.samples import STALE
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.storage.metrics.parquet_export import export_parquet
from spyglass.testing.metric_store_suite import ALL_TIME, HOUR, T0, UnlimitedBudget, grid, matchers, metric, write


def test_samples_are_exported_by_window(tmp_path: Path) -> None:
    """Metric, labels, time and value of each matching sample; stale markers are none; one file per window."""
    store = MemoryMetricStore()
    labels = [metric("m", path=f"/{n}") for n in range(5)]
    write(store, grid(labels, T0, 10))
    write(store, [(metric("m", path="/0"), T0 + HOUR, STALE), (metric("other"), T0 + HOUR, 1.0)])
    write(store, grid(labels, T0 + 4 * HOUR, 10))
    count = export_parquet(
        store,
        tmp_path / "out",
        matchers=matchers("__name__=m"),
        start_ms=ALL_TIME[0],
        end_ms=ALL_TIME[1],
        budget=UnlimitedBudget(),
    )
    assert count == 100
    assert len(list((tmp_path / "out").glob("*.parquet"))) == 2
    with duckdb.connect(":memory:") as connection:
        query = "SELECT metric, labels['path'], epoch_ms(time), value FROM read_parquet(?) WHERE labels['path'] = '/3'"
        rows = connection.execute(query + " ORDER BY time", [str(tmp_path / "out" / "*.parquet")]).fetchall()
    assert rows[:2] == [("m", "/3", T0, 3000.0), ("m", "/3", T0 + 15_000, 3001.0)]
    assert len(rows) == 20


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    """Nothing is mixed with what is there."""
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="not empty"):
        export_parquet(MemoryMetricStore(), tmp_path, matchers=[], start_ms=0, end_ms=1, budget=UnlimitedBudget())
