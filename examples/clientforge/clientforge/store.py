"""The CRM's data: in memory, one set of tables per tenant, bounded so that the demo can run for days."""

from collections import OrderedDict
from collections.abc import Iterable
from itertools import count
from typing import Any

KINDS = ("contacts", "accounts", "deals", "activities")
MAX_ROWS = 500
MAX_TENANTS = 1000

Row = dict[str, Any]


class Tables:
    """One tenant's rows by kind and id; the oldest leave when there are too many."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._rows: dict[str, OrderedDict[int, Row]] = {kind: OrderedDict() for kind in KINDS}

    def add(self, kind: str, fields: Row) -> Row:
        rows = self._rows[kind]
        row = {**fields, "id": next(self._ids)}
        rows[row["id"]] = row
        if len(rows) > MAX_ROWS:
            rows.popitem(last=False)
        return row

    def get(self, kind: str, row_id: int) -> Row | None:
        return self._rows[kind].get(row_id)

    def remove(self, kind: str, row_id: int) -> bool:
        return self._rows[kind].pop(row_id, None) is not None

    def page(self, kind: str, *, offset: int, limit: int) -> list[Row]:
        """Newest first."""
        newest = list(reversed(self._rows[kind].values()))
        return newest[offset : offset + limit]

    def all(self, kind: str) -> Iterable[Row]:
        return self._rows[kind].values()


class Tenants:
    """Tables by tenant, made at first use."""

    def __init__(self) -> None:
        self._tables: OrderedDict[str, Tables] = OrderedDict()

    def tables(self, tenant: str) -> Tables:
        if tenant not in self._tables:
            self._tables[tenant] = Tables()
            if len(self._tables) > MAX_TENANTS:
                self._tables.popitem(last=False)
        return self._tables[tenant]
