"""What the Loki API needs, as protocols."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from spyglass.api.bridge import CancellableBudget, QueryBridge
from spyglass.api.coalesce import Coalescer
from spyglass.api.loki.delete_requests import DeleteRequests
from spyglass.api.loki.tenant import Tenancy
from spyglass.config.loki_limits import LimitsConfig
from spyglass.ingest.logs import LogIngest
from spyglass.model.telemetry import Registry
from spyglass.protocols.clock import Clock
from spyglass.protocols.log_store import LogStores
from spyglass.protocols.queries import LogQueries


@dataclass(frozen=True, slots=True)
class LokiDeps:
    """Handed over by the composition root.

    config_text: the loaded file, for /config. budget: a new budget for a query of these tenants.
    limits_of: a tenant's. render_metrics: the body of /metrics.
    multi_tenant: reads may name several tenants. answers: makes what is asked by several at once; the application makes it.
    ready: the reason why not, or "". flush: write what is in memory to blocks now.
    tails: how many of each tenant are open.
    """

    queries: LogQueries
    stores: LogStores
    ingest: LogIngest
    bridge: QueryBridge
    ingest_bridge: QueryBridge
    clock: Clock
    budget: Callable[[str], CancellableBudget]
    registry: Registry
    deletes: DeleteRequests
    render_metrics: Callable[[], bytes]
    limits_of: Callable[[str], LimitsConfig]
    tenancy: Tenancy = Tenancy.OPTIONAL
    multi_tenant: bool = False
    config_text: str = ""
    version: str = ""
    answers: Coalescer[bytes] | None = None
    ready: Callable[[], str] = lambda: ""
    flush: Callable[[], None] = lambda: None
    tails: Counter[str] = field(default_factory=Counter)
