"""GET /loki/api/v1/tail without sockets: frames, pipelines, dropped entries."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.loki_kit import NOW, SECOND, LokiKit, loki

from spyglass.config.loki_limits import LimitsConfig
from spyglass.model.log_entry import LogEntry

MEMORY_BATCHES = 10_000
"""How many batches a subscription of the memory store holds."""


class Tail:
    """An ASGI websocket as the server sees it."""

    def __init__(self, kit: LokiKit, path: str = "/loki/api/v1/tail", **parameters: str) -> None:
        self.received: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.sent: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.scope = {
            "type": "websocket",
            "path": path,
            "query_string": urlencode(parameters).encode(),
            "headers": [],
            "subprotocols": [],
        }
        self.received.put_nowait({"type": "websocket.connect"})
        self.app = kit.client.app

    async def __aenter__(self) -> "Tail":
        self.task = asyncio.create_task(self.app(self.scope, self.received.get, self.sent.put))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.received.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, 10)

    async def message(self) -> MutableMapping[str, Any]:
        return await asyncio.wait_for(self.sent.get(), 10)

    async def frame(self) -> dict[str, Any]:
        message = await self.message()
        assert message["type"] == "websocket.send", message
        found: dict[str, Any] = json.loads(message["text"])
        return found


def lines_of(frame: dict[str, Any]) -> list[str]:
    return [line for stream in frame["streams"] for _, line in stream["values"]]


def test_what_arrives_goes_through_the_pipeline() -> None:
    """Filters, parsers and new labels, as in a query; the past first."""
    with loki() as kit:
        kit.push([({"job": "a"}, [(NOW - SECOND, "level=info old"), (NOW - SECOND, "level=warn past")])])

        async def scenario() -> None:
            async with Tail(kit, query='{job="a"} | logfmt | level="warn"') as tail:
                assert (await tail.message())["type"] == "websocket.accept"
                past = await tail.frame()
                assert (lines_of(past), past["streams"][0]["stream"]["level"]) == (["level=warn past"], "warn")
                entries = [LogEntry(NOW, "level=warn new"), LogEntry(NOW, "level=info new")]
                kit.ingest.push("fake", [((("job", "a"),), entries), ((("job", "b"),), entries)])
                assert lines_of(await tail.frame()) == ["level=warn new"]

        kit.client.run(scenario())


def test_entries_that_come_faster_than_they_are_read_are_counted() -> None:
    """The oldest are dropped; the frame says how many."""
    with loki() as kit:

        async def scenario() -> None:
            async with Tail(kit, query='{job="a"}', limit="1") as tail:
                assert (await tail.message())["type"] == "websocket.accept"
                store = kit.stores.store()
                for n in range(MEMORY_BATCHES + 7):
                    store.append([((("job", "a"),), [LogEntry(NOW + n, str(n))])])
                frame = await tail.frame()
                assert frame["dropped_entries"] == [{"labels": {}, "count": 7}]
                assert lines_of(frame)[0] == "7"
                assert len(lines_of(frame)) == MEMORY_BATCHES

        kit.client.run(scenario())


def test_a_bad_query_closes_the_socket_with_the_reason() -> None:
    """1011 and the parser's words."""
    with loki() as kit:

        async def scenario() -> None:
            async with Tail(kit, query="{job=") as tail:
                assert (await tail.message())["type"] == "websocket.accept"
                closed = await tail.message()
                assert (closed["type"], closed["code"]) == ("websocket.close", 1011)
                assert closed["reason"].startswith("parse error")

        kit.client.run(scenario())


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"delay_for": "6"}, "delay_for can't be greater than 5"),
        ({"delay_for": "soon"}, 'strconv.Atoi: parsing "soon": invalid syntax'),
        ({"delay_for": "1_0"}, 'strconv.Atoi: parsing "1_0": invalid syntax'),
        ({"limit": "0"}, "limit must be a positive value"),
        ({"start": "x"}, "could not parse 'start' parameter: cannot parse \"x\" as a time"),
        ({"query": 'rate({job="a"}[1m])'}, "only log queries can be tailed"),
        ({"query": ""}, "parse error : syntax error: unexpected $end"),
    ],
)
def test_bad_parameters_close_the_socket_with_the_reason(parameters: dict[str, str], reason: str) -> None:
    """1011 and upstream's words."""
    with loki() as kit:

        async def scenario() -> None:
            async with Tail(kit, **{"query": '{job="a"}', **parameters}) as tail:
                assert (await tail.message())["type"] == "websocket.accept"
                closed = await tail.message()
                assert (closed["type"], closed["code"]) == ("websocket.close", 1011)
                assert closed["reason"].startswith(reason)

        kit.client.run(scenario())


def test_a_tenant_may_have_so_many_tails_open() -> None:
    """One more is closed with upstream's reason; one that ended makes room."""
    with loki(LimitsConfig(max_concurrent_tail_requests=1)) as kit:

        async def scenario() -> None:
            async with Tail(kit, query='{job="a"}') as first:
                assert (await first.message())["type"] == "websocket.accept"
                async with Tail(kit, query='{job="a"}') as second:
                    assert (await second.message())["type"] == "websocket.accept"
                    reason = "max concurrent tail requests limit exceeded, count > limit (2 > 1)"
                    assert (await second.message())["reason"] == reason
            async with Tail(kit, query='{job="a"}') as third:
                assert (await third.message())["type"] == "websocket.accept"
                kit.ingest.push("fake", [((("job", "a"),), [LogEntry(NOW, "new")])])
                assert lines_of(await third.frame()) == ["new"]

        kit.client.run(scenario())


def test_without_a_tenant_the_handshake_is_refused() -> None:
    """A server that can answer in HTTP says 401; here the socket is closed before it is open."""
    with loki(auth_enabled=True) as kit:

        async def scenario() -> None:
            async with Tail(kit, query='{job="a"}') as tail:
                closed = await tail.message()
                assert (closed["type"], closed["reason"]) == ("websocket.close", "no org id")

        kit.client.run(scenario())


def test_asking_does_not_make_a_tenant() -> None:
    """Index endpoints of a tenant that has nothing are empty, and it still has nothing."""
    with loki(auth_enabled=True) as kit:
        nobody = {"X-Scope-OrgID": "nobody"}
        assert kit.get("/loki/api/v1/labels", nobody)["data"] == []
        assert kit.get("/loki/api/v1/label/job/values", nobody)["data"] == []
        assert kit.get("/loki/api/v1/series", nobody)["data"] == []
        assert kit.get("/loki/api/v1/index/stats", nobody, query='{job="a"}')["entries"] == 0
        assert kit.get("/loki/api/v1/index/volume", nobody, query='{job="a"}')["data"]["result"] == []
        assert kit.get("/loki/api/v1/detected_labels", nobody)["detectedLabels"] == []
        params = {"query": '{job="a"}', "start": "1"}
        assert kit.client.post("/loki/api/v1/delete", params=params, headers=nobody).status_code == 204
        kit.deletes.run(kit.clock.now_ns())
        assert kit.get("/loki/api/v1/delete", nobody)[0]["status"] == "processed"
        assert kit.stores.tenants() == []
