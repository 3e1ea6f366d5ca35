"""Requests to delete lines, kept in a JSON file: a list of DeleteRequest as objects.

status: "received" until it was carried out, then "processed", or "failed" with the reason; as long as it is "received", queries do not
see its lines. A request survives restarts; one that was being carried out when the process died is carried out again, which changes
nothing that is gone already.
"""

import hashlib
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from spyglass.model.errors import CorruptData, InvalidParameter, NotFound, SpyglassError
from spyglass.model.log_stages import LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.protocols.log_store import LogStores
from spyglass.query.logql.parser import parse_log
from spyglass.query.readers.hidden import HiddenLines


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """Lines of `query` with start_ns <= t <= end_ns."""

    tenant: str
    request_id: str
    query: str
    start_ns: int
    end_ns: int
    created_ns: int
    status: str = "received"
    reason: str = ""


class DeleteRequests:
    """The requests of all tenants. Thread-safe. path None: in memory only."""

    def __init__(
        self,
        stores: LogStores,
        clock: Clock,
        *,
        path: Path | None,
        files: Files | None,
        cancel_period_ns: int,
        filter_only: bool = False,
    ) -> None:
        """filter_only: requests hide lines and are never carried out. Raises: CorruptData where the file is none of ours."""
        self._stores, self._clock, self._path, self._files = stores, clock, path, files
        self._cancel_period_ns, self._filter_only = cancel_period_ns, filter_only
        self._lock = threading.Lock()
        self._running = threading.Lock()
        self._requests: list[DeleteRequest] = _load(path) if path is not None and path.exists() else []

    def of(self, tenant: str) -> Sequence[DeleteRequest]:
        """Oldest first."""
        with self._lock:
            return [one for one in self._requests if one.tenant == tenant]

    def hidden(self, tenant: str) -> Sequence[HiddenLines]:
        """The lines that are asked to go and still there: no query shows them from the moment that a request is accepted."""
        found = []
        for one in self._requests:
            if one.tenant == tenant and one.status == "received":
                matchers, stages = _parsed(one.query)
                found.append(HiddenLines(matchers, stages, one.start_ns, one.end_ns + 1))
        return found

    def create(self, tenant: str, query: str, *, start_ns: int, end_ns: int) -> DeleteRequest:
        """Durable when it returns. Raises: ParseError, InvalidParameter for stages that cannot choose lines to delete."""
        matchers, stages = _parsed(query)
        # A delete of no time at all: refuses what could not be carried out later.
        with suppress(NotFound):
            store = self._stores.store(tenant, create=False)
            store.delete(matchers, stages, start_ns=start_ns, end_ns=start_ns)
        now = self._clock.now_ns()
        text = f"{tenant}\0{query}\0{start_ns}\0{end_ns}\0{now}\0{len(self._requests)}"
        request_id = hashlib.sha256(text.encode()).hexdigest()[:8]
        request = DeleteRequest(tenant, request_id, query, start_ns, end_ns, now)
        with self._lock:
            self._save([*self._requests, request])
        return request

    def cancel(self, tenant: str, request_id: str) -> None:
        """Raises: NotFound; InvalidParameter where it is too late."""
        with self._lock:
            found = next((r for r in self._requests if r.tenant == tenant and r.request_id == request_id), None)
            if found is None:
                raise NotFound("could not find delete request with given id")
            if found.status != "received":
                raise InvalidParameter("deletion of request which is in process or already processed is not allowed")
            self._save([one for one in self._requests if one is not found])

    def run(self, now_ns: int) -> int:
        """Carry out what is due; how many were. Called by the housekeeping thread."""
        with self._lock:
            due = [r for r in self._requests if r.status == "received" and self._is_due(r, now_ns)]
        with self._running:
            for request in due:
                self._settle(request, self._carry_out(request))
        return len(due)

    def _is_due(self, request: DeleteRequest, now_ns: int) -> bool:
        return not self._filter_only and now_ns - request.created_ns >= self._cancel_period_ns

    def _carry_out(self, request: DeleteRequest) -> DeleteRequest:
        try:
            matchers, stages = _parsed(request.query)
            store = self._stores.store(request.tenant, create=False)
            store.delete(matchers, stages, start_ns=request.start_ns, end_ns=request.end_ns + 1)
        except NotFound:
            return replace(request, status="processed")
        except (InvalidParameter, CorruptData) as err:
            return replace(request, status="failed", reason=str(err))
        except SpyglassError:
            return request  # a full disk: the next round tries again
        return replace(request, status="processed")

    def _settle(self, request: DeleteRequest, settled: DeleteRequest) -> None:
        with self._lock:
            self._save([settled if one.request_id == request.request_id else one for one in self._requests])

    def _save(self, requests: list[DeleteRequest]) -> None:
        if self._path is not None and self._files is not None:
            self._files.write_atomic(self._path, [orjson.dumps([asdict(one) for one in requests])])
        self._requests = requests


def _parsed(query: str) -> tuple[Sequence[Matcher], Sequence[LogStage]]:
    expression = parse_log(query)
    return expression.matchers, expression.stages


def _load(path: Path) -> list[DeleteRequest]:
    try:
        return [DeleteRequest(**one) for one in orjson.loads(path.read_bytes())]
    except (orjson.JSONDecodeError, TypeError) as err:
        raise CorruptData(f"{path}: not a list of delete requests ({err}); move it away to start without") from None
