"""Data of files: expositions (what /metrics answers) and Loki pushes (JSON), loaded into the stores in memory.

`*.prom`, `*.txt`, `*.metrics` are Prometheus' text format, `*.om` OpenMetrics, `*.json` Loki's push body. Samples have the time of loading,
whatever the file says: a fixture does not grow old. Lines keep theirs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spyglass.dashboards.examine.evidence import NoEvidence
from spyglass.formats.exposition.parser import ExpositionDecoder
from spyglass.formats.loki_push import decode_json
from spyglass.model.errors import MalformedBody, ParseError, QueryError
from spyglass.model.labels import METRIC_NAME
from spyglass.model.matchers import Matcher
from spyglass.model.samples import WriteBatch
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine
from spyglass.query.log_engine import LogEngine
from spyglass.query.logql import parser as logql
from spyglass.query.promql import parser as promql
from spyglass.storage.memory_logs import MemoryLogStores
from spyglass.storage.memory_metrics import MemoryMetricStore

METRIC_FILES = frozenset({".prom", ".txt", ".metrics", ".om"})
LOG_FILES = frozenset({".json"})
BACK_MS = 30_000
"""Each sample is stored twice, so that rates have something to look at."""
FAR_NS = 2**62


@dataclass
class _OneStore:
    """MetricStores with a single store."""

    kept: MemoryMetricStore = field(default_factory=MemoryMetricStore)

    def store(self, tenant: str = "", *, create: bool = True) -> MemoryMetricStore:  # noqa: ARG002
        return self.kept

    def tenants(self) -> list[str]:
        return [""]

    def maintain(self, now_ms: int) -> None:
        """Nothing grows."""

    def close(self) -> None:
        """Nothing is open."""


class FixtureMetrics:
    """MetricEvidence of expositions."""

    def __init__(self) -> None:
        self._stores = _OneStore()
        self._engine = PromEngine(self._stores)
        self._now_ms = time.time_ns() // 1_000_000

    def load(self, body: bytes, *, openmetrics: bool = False) -> None:
        """Raises: MalformedBody."""
        decoder = ExpositionDecoder()
        decoded = decoder.decode(body, openmetrics=openmetrics)
        refs = self._stores.kept.resolve(decoder.take_new())[decoded.slots]
        for at in (self._now_ms - BACK_MS, self._now_ms):
            times = np.full(decoded.size, at, np.int64)
            self._stores.kept.append(WriteBatch(refs, times, decoded.values))

    def names(self) -> frozenset[str]:
        return frozenset(self.values(METRIC_NAME))

    def labels(self, metric: str = "") -> frozenset[str]:
        sets = [[Matcher.of(METRIC_NAME, "=", metric)]] if metric else []
        return frozenset(self._stores.kept.label_names(sets, start_ms=0, end_ms=self._now_ms))

    def values(self, label: str, selector: str = "") -> Sequence[str]:
        try:
            sets = [promql.parse_selector(selector)] if selector else []
        except ParseError:
            return []
        return self._stores.kept.label_values(label, sets, start_ms=0, end_ms=self._now_ms)

    def results(self, query: str) -> list[str]:
        result = self._engine.instant(query, time_ms=self._now_ms, tenant="", budget=QueryBudget())
        if result.kind != "vector" or result.frame is None:
            return []
        rows = zip(result.frame.labels.all_labels(), result.frame.values[:, 0].tolist(), strict=True)
        return [_shown(dict(labels), value, self._now_ms) for labels, value in rows]

    def error_of(self, query: str) -> str:
        try:
            self._engine.instant(query, time_ms=self._now_ms, tenant="", budget=QueryBudget())
        except QueryError as err:
            return err.message
        return ""


def _shown(labels: dict[str, str], value: float, now_ms: int) -> str:
    name = labels.pop(METRIC_NAME, "")
    pairs = ",".join(f'{key}="{text}"' for key, text in sorted(labels.items()))
    return f"{name}{{{pairs}}} {value:g} {now_ms}"


class FixtureLogs:
    """LogEvidence of pushes."""

    def __init__(self) -> None:
        self._stores = MemoryLogStores()
        self._engine = LogEngine(self._stores)

    def load(self, body: bytes) -> None:
        """Raises: MalformedBody."""
        self._stores.store().append(decode_json(body))

    def labels(self) -> frozenset[str]:
        return frozenset(self._stores.store().label_names([], start_ns=0, end_ns=FAR_NS))

    def values(self, label: str, selector: str = "") -> Sequence[str]:
        try:
            matchers = logql.parse_log(selector).matchers if selector else ()
        except ParseError:
            return []
        return self._stores.store().label_values(label, matchers, start_ns=0, end_ns=FAR_NS)

    def error_of(self, query: str) -> str:
        now_ns = time.time_ns()
        try:
            self._engine.instant(
                query, time_ns=now_ns, limit=10, direction="backward", tenant="fake", budget=QueryBudget()
            )
        except QueryError as err:
            return err.message
        return ""


def load_fixture(folder: Path) -> tuple[FixtureMetrics | None, FixtureLogs | None]:
    """The folder's metrics and logs, None where it holds none. Raises: NoEvidence naming the file that cannot be used."""
    if not folder.exists():
        raise NoEvidence(f"{folder}: there is no such file or folder")
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else [folder]
        bodies = [(path, path.read_bytes()) for path in files if path.suffix in METRIC_FILES | LOG_FILES]
    except OSError as err:
        raise NoEvidence(f"{folder}: {err.strerror or err}") from None
    metrics, logs = FixtureMetrics(), FixtureLogs()
    for path, body in bodies:
        try:
            if path.suffix in LOG_FILES:
                logs.load(body)
            else:
                metrics.load(body, openmetrics=path.suffix == ".om")
        except MalformedBody as err:
            raise NoEvidence(f"{path}: {err}") from None
    kinds = {path.suffix in LOG_FILES for path, _ in bodies}
    if not kinds:
        wanted = ", ".join(f"*{suffix}" for suffix in sorted(METRIC_FILES | LOG_FILES))
        raise NoEvidence(f"{folder}: holds no fixture ({wanted})")
    return (metrics if False in kinds else None), (logs if True in kinds else None)
