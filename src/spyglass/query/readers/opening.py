"""From a tenant's name, or several joined by `|`, to a reader of what they may see."""

from collections.abc import Callable, Sequence

from spyglass.model.errors import NotFound
from spyglass.protocols.log_store import LogReader, LogStores
from spyglass.query.readers.hidden import HiddenLines, HidingReader
from spyglass.query.readers.tenants import TenantsReader

Hidden = Callable[[str], Sequence[HiddenLines]]
"""The lines of a tenant that are to be deleted."""

SEPARATOR = "|"


def nothing_hidden(tenant: str) -> Sequence[HiddenLines]:  # noqa: ARG001
    return ()


def open_reader(stores: LogStores, tenants: str, hidden: Hidden = nothing_hidden) -> LogReader | None:
    """None where none of the tenants has a store: who only asks must not make one."""
    names = tenants.split(SEPARATOR)
    found = {name: reader for name in names if (reader := _of_one(stores, name, hidden)) is not None}
    if len(names) == 1:
        return found.get(tenants)
    return TenantsReader(found) if found else None


def _of_one(stores: LogStores, tenant: str, hidden: Hidden) -> LogReader | None:
    try:
        store = stores.store(tenant, create=False)
    except NotFound:
        return None
    lines = hidden(tenant)
    return HidingReader(store, lines) if lines else store
