"""Plain HTTP from a target: every way to end a body, connections that are kept, and answers that are none. Over real sockets."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.config.prometheus import ScrapeConfig
from spyglass.scrape.body import Fetched, FetchFailed
from spyglass.scrape.plain import PlainFetcher
from spyglass.scrape.target import Target, build_target

BODY = b"up 1\n" * 1000
GZIP = gzip.compress(BODY, mtime=0)


class Server:
    """Answers each request with the next bytes; a connection is closed after an answer that says so, or an empty one."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self._answers = answers
        self.heads: list[bytes] = []
        self.connections = 0

    async def __aenter__(self) -> "Server":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head)
                answer = next(self._answers)
                writer.write(answer)
                if not answer or b"close" in answer or b"HTTP/1.0" in answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def job_with(**options: Any) -> ScrapeConfig:
    return ScrapeConfig.model_validate({"job_name": "a", "scrape_interval": "1m", "scrape_timeout": "10s", **options})


def target_at(port: int, job: ScrapeConfig) -> Target:
    target = build_target({"__address__": f"127.0.0.1:{port}"}, job, ())
    assert isinstance(target, Target)
    return target


async def fetched(*answers: bytes, scrapes: int = 0, **options: Any) -> tuple[list[Fetched | str], Server]:
    """So many scrapes (0: as many as there are answers): the body of each, or why there is none."""
    job = job_with(**options)
    found: list[Fetched | str] = []
    fetcher = PlainFetcher(job, folder=Path(), map_address=lambda address: address)
    async with Server(iter([*answers, b""])) as server:
        for _ in range(scrapes or len(answers)):
            try:
                found.append(await fetcher.fetch(target_at(server.port, job)))
            except FetchFailed as err:
                found.append(str(err).partition('": ')[2] or str(err))
        await fetcher.close()
    return found, server


def ok(body: bytes, *headers: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return b"\r\n".join([version + b" 200 OK", b"Content-Type: text/plain", *headers, b"", body])


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


@pytest.mark.parametrize(
    "answer",
    [
        ok(BODY, sized(BODY)),
        ok(chunked(BODY, 700), b"Transfer-Encoding: chunked"),
        ok(GZIP, sized(GZIP), b"Content-Encoding: gzip"),
        ok(chunked(GZIP, 7), b"Transfer-Encoding: chunked", b"Content-Encoding: gzip"),
        ok(GZIP, b"Connection: close", b"Content-Encoding: gzip"),
        ok(BODY, version=b"HTTP/1.0"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(BODY, sized(BODY)),
        ok(
            (two := gzip.compress(BODY[:10], mtime=0) + gzip.compress(BODY[10:], mtime=0)),
            sized(two),
            b"Content-Encoding: gzip",
        ),
    ],
)
async def test_a_body_comes_whole_however_it_ends(answer: bytes) -> None:
    """By its length, in chunks, with the connection; compressed or not; after word that it is still to come."""
    found, _ = await fetched(answer, body_size_limit="5000B")
    assert found == [Fetched(BODY, "text/plain")]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "EOF"),
        (b"HTTP/1.0 2", "unexpected EOF"),
        (ok(BODY[:-1], sized(BODY), b"Connection: close"), "unexpected EOF"),
        (ok(GZIP[:-9], b"Connection: close", b"Content-Encoding: gzip"), "unexpected EOF"),
        (ok(GZIP[:-9], sized(GZIP[:-9]), b"Content-Encoding: gzip"), "gzip: unexpected EOF"),
        (
            ok(BODY, sized(BODY), b"Content-Encoding: gzip"),
            "gzip: Error -3 while decompressing data: incorrect header check",
        ),
        (ok(BODY, sized(BODY), b"Content-Encoding: br"), "unknown Content-Encoding: br"),
        (ok(BODY + b"x", sized(BODY + b"x")), "body size limit exceeded"),
        (
            ok((bomb := gzip.compress(BODY * 999, mtime=0)), sized(bomb), b"Content-Encoding: gzip"),
            "body size limit exceeded",
        ),
        (b"HTTP/1.1 503 Too Busy\r\nContent-Length: 0\r\n\r\n", "server returned HTTP status 503 Too Busy"),
        (ok(b"", b"X: " + b"x" * 70_000, b"Connection: close"), "the headers of the response are too long"),
        (b"SSH-2.0-close\r\n\r\n", "malformed HTTP response: "),
    ],
)
async def test_what_is_no_body_says_why(answer: bytes, problem: str) -> None:
    """And the next scrape goes on over a new connection."""
    found, _ = await fetched(answer, ok(BODY, sized(BODY)), body_size_limit="5000B")
    assert isinstance(found[0], str)
    assert found[0].startswith(problem)
    assert found[1:] == [Fetched(BODY, "text/plain")]


async def test_a_connection_is_kept_between_scrapes() -> None:
    """The request names the host and what we take."""
    answer = ok(BODY, sized(BODY))
    found, server = await fetched(answer, answer, answer)
    assert found == [Fetched(BODY, "text/plain")] * 3
    assert server.connections == 1
    assert server.heads[0].startswith(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: " % server.port)
    assert b"\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n" in server.heads[0]


async def test_a_connection_that_the_target_closed_meanwhile_is_no_failure() -> None:
    """The request goes out once more over a new one."""
    answer = ok(BODY, sized(BODY))
    found, server = await fetched(answer, b"", answer, scrapes=2)
    assert found == [Fetched(BODY, "text/plain")] * 2
    assert server.connections == 2


async def test_a_target_that_does_not_end_its_answer_is_too_slow() -> None:
    """The connection is not used again."""
    endless = ok(BODY, sized(BODY + b"x"))
    found, server = await fetched(endless, ok(BODY, sized(BODY)), scrape_timeout="50ms")
    assert found == ["context deadline exceeded", Fetched(BODY, "text/plain")]
    assert server.connections == 2


async def test_nobody_listens() -> None:
    """In upstream's words."""
    async with Server(iter([])) as server:
        pass
    job = job_with()
    fetcher = PlainFetcher(job, folder=Path(), map_address=lambda address: address)
    with pytest.raises(FetchFailed, match=r'Get "http://127\.0\.0\.1:\d+/metrics": connect: connection refused'):
        await fetcher.fetch(target_at(server.port, job))


@pytest.mark.parametrize("spoilt", [lambda head: head + "\r\nX: y", lambda head: head + "\0"])
async def test_a_header_cannot_end_early(spoilt: Callable[[str], str]) -> None:
    """What a file of credentials holds is not another header."""
    job = job_with(authorization={"credentials": spoilt("secret")})
    fetcher = PlainFetcher(job, folder=Path(), map_address=lambda address: address)
    async with Server(iter([])) as server:
        with pytest.raises(FetchFailed, match="line break"):
            await fetcher.fetch(target_at(server.port, job))
    assert server.heads == []
