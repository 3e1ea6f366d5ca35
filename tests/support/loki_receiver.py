"""A real HTTP server that takes Loki pushes: what a sender's tests push to. It can be told to refuse."""

from dataclasses import dataclass, field

import cramjam
from aiohttp import web

from spyglass.formats.loki_push import decode_push_request, parse_label_pairs
from spyglass.model.log_entry import LogEntry

PATH = "/loki/api/v1/push"


@dataclass(slots=True)
class Push:
    """One request: its tenant ("" without the header), headers, and streams with their label strings as sent."""

    tenant: str
    headers: dict[str, str]
    streams: list[tuple[str, list[LogEntry]]]


@dataclass
class LokiReceiver:
    """Start with `async with`. statuses: answers for the next requests, first first; then 204. Refused pushes are not kept.

    A negative status is an answer of a server that stored the push but says that it failed.
    """

    pushes: list[Push] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    refused: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    async def __aenter__(self) -> "LokiReceiver":
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post(PATH, self._take)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        assert self._runner.addresses, "the server listens"
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self.statuses.pop(0) if self.statuses else 204
        if status > 204:
            self.refused += 1
            return web.Response(status=status, text="not now")
        headers = dict(request.headers)
        streams = raw_streams(bytes(cramjam.snappy.decompress_raw(body)))
        self.pushes.append(Push(headers.get("X-Scope-OrgID", ""), headers, streams))
        return web.Response(status=abs(status))

    def streams(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], list[LogEntry]]:
        """Everything taken, by tenant and labels (empty values kept), in order of arrival."""
        found: dict[tuple[str, tuple[tuple[str, str], ...]], list[LogEntry]] = {}
        for push in self.pushes:
            for name, entries in push.streams:
                found.setdefault((push.tenant, tuple(parse_label_pairs(name))), []).extend(entries)
        return found

    def stored(self) -> dict[tuple[tuple[str, str], ...], list[LogEntry]]:
        """As a store keeps it: entries that are equal in time, line and metadata count once."""
        return {labels: list(dict.fromkeys(entries)) for (_, labels), entries in self.streams().items()}

    def lines(self) -> list[str]:
        """All lines as a store keeps them."""
        return [entry.line for entries in self.stored().values() for entry in entries]


def raw_streams(data: bytes) -> list[tuple[str, list[LogEntry]]]:
    """Streams with their label strings as they were sent: an empty value is seen."""
    decoded = decode_push_request(data)
    return list(zip(_label_strings(data), (list(entries) for _, entries in decoded), strict=True))


def _label_strings(data: bytes) -> list[str]:
    """Field 1 of every stream; a stream begins with it, as every sender writes it."""
    names, at = [], 0
    while at < len(data):
        size, body = _varint(data, at + 1)
        assert data[body] == 0x0A, "labels come first"
        length, start = _varint(data, body + 1)
        names.append(data[start : start + length].decode())
        at = body + size
    return names


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] >= 0x80:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | data[at] << shift, at + 1
