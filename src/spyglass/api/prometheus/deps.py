"""What the Prometheus API needs, as protocols; handed over by the composition root."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from spyglass.api.bridge import CancellableBudget, QueryBridge
from spyglass.api.coalesce import Coalescer
from spyglass.ingest.metrics import MetricIngest
from spyglass.ingest.remote_write import RemoteWriteIngest
from spyglass.model.telemetry import Registry
from spyglass.model.times import StepGrid
from spyglass.protocols.clock import Clock
from spyglass.protocols.metric_store import MetricStores
from spyglass.protocols.queries import PromQueries, QueryStats
from spyglass.protocols.targets import Targets
from spyglass.query.promql.parser import Features


@dataclass(frozen=True, slots=True)
class Answer:
    """An encoded answer, which all who ask the same at once share. chunks: the body."""

    chunks: list[bytes]
    stats: QueryStats


def _nothing() -> str:
    return ""


def _no_log(query: str, grid: StepGrid, stats: QueryStats, error: str) -> None:
    """No query log."""


@dataclass(frozen=True, slots=True)
class PrometheusDeps:
    """config_text: the loaded file with its secrets masked. flags: as on a Prometheus command line, without dashes.

    budget: a new budget for a query that may take so many seconds. reload: loads the configuration again, raises ConfigError.
    read_samples_max: of a remote read that is not streamed, 0: no limit. read_frame_bytes_max: of a frame of one that is.
    remote_write, answers: the receiver, and what makes queries that are asked at once; the application makes what is not given.
    log_query: notes a query that another's evaluation answered.
    ready: the reason why not, or "". external_labels: for federation and remote read. ui_port: of the web UI in this process, or 0.
    notices: what holds now that people should know, with since when (ns). language: which experimental parts are on.
    """

    queries: PromQueries
    stores: MetricStores
    targets: Targets
    ingest: MetricIngest
    bridge: QueryBridge
    ingest_bridge: QueryBridge
    clock: Clock
    budget: Callable[[float], CancellableBudget]
    registry: Registry
    started_ns: int
    version: str = ""
    config_text: Callable[[], str] = _nothing
    flags: Mapping[str, str] = field(default_factory=dict)
    reload: Callable[[], Awaitable[None]] | None = None
    quit: Callable[[], None] | None = None
    ready: Callable[[], str] = _nothing
    external_labels: Callable[[], Mapping[str, str]] = dict
    runtime: Callable[[], Mapping[str, object]] = dict
    lifecycle_enabled: bool = False
    admin_enabled: bool = False
    remote_write_enabled: bool = False
    remote_write: RemoteWriteIngest | None = None
    answers: Coalescer[Answer] | None = None
    log_query: Callable[[str, StepGrid, QueryStats, str], None] = _no_log
    query_timeout_seconds: float = 120.0
    read_samples_max: int = 50_000_000
    read_frame_bytes_max: int = 1 << 20
    external_url: str = ""
    ui_port: Callable[[], int] = int
    notices: Callable[[], Sequence[tuple[str, int]]] = tuple
    language: Features = field(default_factory=Features)
