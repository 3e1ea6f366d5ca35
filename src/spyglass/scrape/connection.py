"""One connection to a target: HTTP/1.1 without TLS, one request at a time, kept open between scrapes.

A body of a megabyte comes in dozens of pieces; a general client hands each through streams and tasks, which cost more than decoding
the body does. Here a piece goes from the socket through llhttp (httptools) into a list. Source: RFC 9112.
"""

import asyncio
import zlib
from dataclasses import dataclass, field
from typing import cast

import httptools

from spyglass.scrape.body import FetchFailed

HEAD_BYTES_MAX = 64 << 10
_LONG_HEAD = "the headers of the response are too long"
_ANY_WRAPPING = 32 + zlib.MAX_WBITS
"""gzip or zlib, told by the first bytes."""


class NeverAnswered(Exception):
    """The connection ended before the first byte of an answer: if it had been used before, the server had closed it meanwhile."""


@dataclass(slots=True)
class Response:
    """headers: names in lower case, the last value where one is repeated. body: decompressed; empty unless status is 200."""

    status: int = 0
    reason: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Connection(asyncio.Protocol):
    """Belongs to the event loop's thread. Made by loop.create_connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._limit = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def get(self, request: bytes, *, limit_bytes: int) -> Response:
        """Send a request, head and all, and take its answer. limit_bytes: of the body, decompressed.

        Raises: FetchFailed; NeverAnswered.  Cancelled, as by a timeout, or failed, it closes the connection.
        """
        assert self._transport is not None, "the connection is made"
        assert self._answer is None, "one request at a time"
        self._answer = asyncio.get_running_loop().create_future()
        self._limit = limit_bytes
        self._begin()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._response = Response()
        self._parts: list[bytes] = []
        self._size = self._head_bytes = 0
        self._answered = self._in_body = False
        self._inflater: zlib._Decompress | None = None
        self._is_whole = True

    # From the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # Nobody asked: what a server sends then is not to be taken for the next answer.
            self.close()
            return
        self._answered = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as err:
            # What the callbacks raise comes wrapped.
            cause = err.__context__
            self._fail(cause if isinstance(cause, FetchFailed) else FetchFailed(f"malformed HTTP response: {err}"))
            return
        if not self._in_body:
            # Of a header that has not come to its end nothing else tells.
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._fail(FetchFailed(_LONG_HEAD))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is None or self._answer.done():
            return
        if not self._answered:
            self._fail(NeverAnswered())
        elif exc is None and self._is_whole and self._ends_with_the_connection():
            self._finish()
        else:
            self._fail(FetchFailed("unexpected EOF"))

    def _ends_with_the_connection(self) -> bool:
        headers = self._response.headers
        return self._in_body and "content-length" not in headers and "transfer-encoding" not in headers

    # From the parser.

    def on_status(self, reason: bytes) -> None:
        self._response.reason = reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise FetchFailed(_LONG_HEAD)
        self._response.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_body = True
        self._response.status = self._parser.get_status_code()
        coding = self._response.headers.get("content-encoding", "identity").lower()
        if self._response.status == 200 and coding in ("gzip", "x-gzip", "deflate"):
            self._inflater, self._is_whole = zlib.decompressobj(_ANY_WRAPPING), False
        elif self._response.status == 200 and coding != "identity":
            raise FetchFailed(f"unknown Content-Encoding: {coding}")

    def on_body(self, piece: bytes) -> None:
        if self._response.status != 200:
            return
        if self._inflater is None:
            self._add(piece)
        while self._inflater is not None and piece:
            try:
                # One byte beyond the limit tells that it is exceeded.
                self._add(self._inflater.decompress(piece, self._limit - self._size + 1))
            except zlib.error as err:
                raise FetchFailed(f"gzip: {err}") from None
            piece, self._is_whole = self._inflater.unconsumed_tail, self._inflater.eof
            if self._is_whole:
                piece, self._inflater = self._inflater.unused_data, zlib.decompressobj(_ANY_WRAPPING)

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise FetchFailed("body size limit exceeded")
        self._parts.append(piece)

    def on_message_complete(self) -> None:
        if 100 <= self._response.status < 200:
            # Word of an answer that is still to come.
            self._response, self._in_body = Response(), False
            return
        keep = self._parser.should_keep_alive()
        if not self._is_whole:
            raise FetchFailed("gzip: unexpected EOF")
        self._finish()
        if not keep:
            self.close()

    def _finish(self) -> None:
        assert self._answer is not None, "somebody asked"
        self._response.body = b"".join(self._parts)
        self._parts = []
        self._answer.set_result(self._response)

    def _fail(self, error: Exception) -> None:
        assert self._answer is not None, "somebody asked"
        if not self._answer.done():
            self._answer.set_exception(error)
        self.close()
