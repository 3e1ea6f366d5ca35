"""Answers in Prometheus' JSON envelope. A kind of error becomes a status here, and nowhere else in this API."""

from collections.abc import Sequence

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from spyglass.api.prometheus.body import BodyTooLarge
from spyglass.model import errors

JSON_TYPE = "application/json"


class AdminDisabled(errors.SpyglassError):
    """The admin API is switched off."""


KINDS: tuple[tuple[type[errors.SpyglassError], int, str], ...] = (
    (BodyTooLarge, 413, "bad_data"),
    (errors.ParseError, 400, "bad_data"),
    (errors.InvalidParameter, 400, "bad_data"),
    # Upstream's "unavailable" has no status of its own and so is 500.
    (AdminDisabled, 500, "unavailable"),
    (errors.QueryTimeout, 503, "timeout"),
    (errors.QueryCanceled, 499, "canceled"),
    (errors.QueryError, 422, "execution"),
    (errors.RateLimited, 429, "bad_data"),
    (errors.IngestError, 400, "bad_data"),
    (errors.NotFound, 404, "not_found"),
    (errors.Unavailable, 503, "unavailable"),
    (errors.DiskFull, 503, "unavailable"),
)


SMALL_BYTES = 64 << 10
"""Bodies up to this size are sent as one: a write costs more than copying so much."""


class ChunkedResponse(Response):
    """A body in many pieces, sent with its length; a large one without joining it."""

    def __init__(self, chunks: Sequence[bytes], *, status_code: int = 200, media_type: str = JSON_TYPE) -> None:
        super().__init__(b"", status_code=status_code, media_type=media_type)
        size_bytes = sum(map(len, chunks))
        self._chunks = chunks if size_bytes > SMALL_BYTES else [b"".join(chunks)]
        self.headers["content-length"] = str(size_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        chunks = self._chunks if scope["method"] != "HEAD" else [b""]
        for chunk in chunks[:-1]:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": chunks[-1]})


def success(data: object, *, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """`{"status":"success","data":...}` with annotations where there are any."""
    answer: dict[str, object] = {"status": "success", "data": data}
    if warnings:
        answer["warnings"] = list(warnings)
    if infos:
        answer["infos"] = list(infos)
    return Response(orjson.dumps(answer), media_type=JSON_TYPE)


def error_reply(error: errors.SpyglassError) -> Response:
    """`{"status":"error","errorType":...,"error":...}` with upstream's status for the kind."""
    status, kind = next(((s, k) for cls, s, k in KINDS if isinstance(error, cls)), (500, "internal"))
    return failure(status, kind, str(error))


def failure(status: int, kind: str, message: str) -> Response:
    body = orjson.dumps({"status": "error", "errorType": kind, "error": message})
    return Response(body, status_code=status, media_type=JSON_TYPE)
