"""The index of a tenant's logs, for reading: who only asks must not make a tenant come into being."""

from collections.abc import Sequence
from typing import Protocol

from starlette.requests import Request

from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import tenants_of
from spyglass.model.errors import NotFound
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.protocols.log_store import LogStats, LogStores
from spyglass.query.readers.opening import SEPARATOR, open_reader


class IndexReader(Protocol):
    """The part of LogReader that reads no lines."""

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable: ...

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]: ...

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]: ...

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats: ...

    def volume(
        self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int, by: Sequence[str]
    ) -> list[tuple[Labels, int]]: ...


def reading_tenants(request: Request, deps: LokiDeps) -> str:
    """Whose logs a request reads: one tenant, or several joined by `|` where that is allowed. Raises NoTenant, BadTenant."""
    return tenants_of(request, deps.tenancy, several=deps.multi_tenant)


def least(deps: LokiDeps, tenants: str, limit: str) -> int:
    """The smallest of the tenants' limits of this name; 0 where none has one."""
    values = (getattr(deps.limits_of(tenant), limit) for tenant in tenants.split(SEPARATOR))
    return min((value for value in values if value > 0), default=0)


def version_of(deps: LokiDeps, tenants: str) -> tuple[object, ...]:
    """Another one after everything that was stored or deleted for the tenants, and after every request to delete."""
    return tuple((_stored(deps.stores, tenant), *deps.deletes.of(tenant)) for tenant in tenants.split(SEPARATOR))


def _stored(stores: LogStores, tenant: str) -> int:
    try:
        return stores.store(tenant, create=False).version
    except NotFound:
        return -1


def index_of(deps: LokiDeps, tenant: str) -> IndexReader:
    """The index of a tenant, or of several joined by `|`; an empty one where there is no such tenant."""
    return open_reader(deps.stores, tenant) or _Nothing()


class _Nothing:
    """No streams at all."""

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable:  # noqa: ARG002
        return LabelTable.from_labels([])

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:  # noqa: ARG002
        return []

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:  # noqa: ARG002
        return []

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats:  # noqa: ARG002
        return LogStats()

    def volume(
        self,
        matchers: Sequence[Matcher],  # noqa: ARG002
        *,
        start_ns: int,  # noqa: ARG002
        end_ns: int,  # noqa: ARG002
        by: Sequence[str],  # noqa: ARG002
    ) -> list[tuple[Labels, int]]:
        return []
