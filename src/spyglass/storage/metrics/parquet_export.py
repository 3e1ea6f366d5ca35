"""Samples as Parquet that DuckDB, Spark or ClickHouse read: one file per window, so that memory is bounded.

    metric VARCHAR | labels MAP(VARCHAR, VARCHAR) without the name | time TIMESTAMP (UTC, ms) | value DOUBLE

Stale markers are left out: they are no values. Native histograms are not exported.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import orjson

from spyglass.model.errors import StorageError
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Selection, is_stale
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import MetricReader, SelectHints
from spyglass.storage.metrics.tiles import as_ragged

_WINDOW_MS = 2 * 3_600_000

_LABELS = """
CREATE OR REPLACE TEMP TABLE described AS
SELECT row, metric, CAST(labels::JSON AS MAP(VARCHAR, VARCHAR)) AS labels FROM series
"""

# No ORDER BY: the samples come in order of series and time, and sorting them with their labels would take a gigabyte.
_COPY = """
COPY (
  SELECT s.metric, s.labels, make_timestamp(p.time * 1000) AS time, p.value
  FROM points p JOIN described s USING (row)
) TO ? (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)
"""


def export_parquet(
    store: MetricReader,
    folder: Path,
    *,
    matchers: Sequence[Matcher],
    start_ms: int,
    end_ms: int,
    budget: Budget,
    window_ms: int = _WINDOW_MS,
) -> int:
    """Write `<folder>/<start of the window, ms>.parquet` for each window of [start_ms, end_ms] with samples.

    The folder is created and must be empty. Returns how many samples were written. Raises: StorageError; the budget's errors.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StorageError(f"{folder} is not empty: export into a new folder")
    span = store.time_range()
    if span is None:
        return 0
    start_ms, end_ms = max(start_ms, span[0]), min(end_ms, span[1])
    written = 0
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for window in range(start_ms // window_ms * window_ms, end_ms + 1, window_ms):
            low, high = max(window, start_ms), min(window + window_ms - 1, end_ms)
            selection = store.select(matchers, start_ms=low, end_ms=high, hints=SelectHints(), budget=budget)
            written += _write(connection, selection, folder / f"{window}.parquet")
    return written


def _write(connection: duckdb.DuckDBPyConnection, selection: Selection, path: Path) -> int:
    parts = [as_ragged(piece) for piece in selection.pieces]
    if not parts:
        return 0
    values = np.concatenate([part.values for part in parts])
    kept = ~is_stale(values)
    points = {  # noqa: F841  DuckDB finds it by its name
        "row": np.concatenate([np.repeat(part.rows, part.lengths) for part in parts])[kept],
        "time": np.concatenate([part.times for part in parts])[kept],
        "value": values[kept],
    }
    described = [_described(labels) for labels in selection.labels.all_labels()]
    series = {  # noqa: F841
        "row": np.arange(len(described)),
        "metric": np.asarray([name for name, _ in described], object),
        "labels": np.asarray([text for _, text in described], object),
    }
    connection.execute(_LABELS)
    connection.execute(_COPY, [str(path)])
    return int(np.count_nonzero(kept))


def _described(labels: Labels) -> tuple[str, str]:
    """The metric's name, and the other labels as a JSON object."""
    held = dict(labels)
    return held.pop(METRIC_NAME, ""), orjson.dumps(held).decode()
