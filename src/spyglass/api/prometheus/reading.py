"""The store that a request reads."""

from starlette.requests import Request

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import tenant_of
from spyglass.model.errors import NotFound
from spyglass.protocols.metric_store import MetricStore
from spyglass.storage.memory_metrics import MemoryMetricStore


def store_of(request: Request, deps: PrometheusDeps) -> MetricStore:
    """The tenant's store. Asking never makes a tenant: one who has nothing sees an empty store."""
    try:
        return deps.stores.store(tenant_of(request), create=False)
    except NotFound:
        return MemoryMetricStore()
