"""JSON answers and errors in Grafana's form, and request bodies with their limits."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spyglass.model.errors import (
    BudgetExceeded,
    DiskFull,
    ExecutionError,
    NotFound,
    QueryCanceled,
    QueryError,
    QueryTimeout,
    SpyglassError,
    Unavailable,
)
from spyglass.protocols.dashboards import SaveRefused
from spyglass.protocols.library_elements import ElementRefused

MAX_BODY = 32 << 20
"""A request body larger than this is refused: no dashboard comes near."""

API_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What people see depends on who they are and on now: nothing of it is kept by browsers and proxies."""

_REFUSED = {"version-mismatch": 412, "name-exists": 412, "not-found": 404, "in-use": 403}


class ApiError(Exception):
    """An answer other than success. fields: further keys of the body, `status` among them where Grafana has such a word."""

    def __init__(self, status: int, message: str, /, **fields: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.fields = status, message, fields

    def response(self) -> Response:
        return reply({"message": self.message, **self.fields}, status=self.status)


def reply(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. numpy arrays in it are columns."""
    return Response(encode(data), status, media_type="application/json", headers={**API_HEADERS, **(headers or {})})


def encode(data: object) -> bytes:
    try:
        return orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Integers past 64 bits and lone surrogates occur in people's dashboards; orjson takes neither.
        return json.dumps(data, separators=(",", ":")).encode()


def error_of(err: SpyglassError) -> ApiError:
    """The one place where a kind of error becomes a status."""
    if isinstance(err, SaveRefused):
        return ApiError(_REFUSED.get(err.reason, 400), err.message, status=err.reason)
    if isinstance(err, ElementRefused):
        return ApiError(_REFUSED.get(err.reason, 400), err.message)
    return ApiError(status_of(err), str(err))


def status_of(err: SpyglassError) -> int:
    match err:
        case NotFound():
            return 404
        case ExecutionError() | BudgetExceeded():
            return 422
        case QueryTimeout():
            return 504
        case QueryCanceled():
            return 499
        case QueryError():
            return 400
        case Unavailable():
            return 503
        case DiskFull():
            return 507
        case _:
            return 500


async def read_body(request: Request) -> bytes:
    """The whole body. Raises: ApiError 413."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise ApiError(413, f"the request body is larger than {MAX_BODY >> 20} MiB")
        parts.append(part)
    return b"".join(parts)


async def read_json(request: Request) -> dict[str, Any]:
    """The body as an object. Raises: ApiError 400, 413."""
    body = await read_body(request)
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise ApiError(400, f"bad request data: the body is not JSON: {err}") from None
    if not isinstance(data, dict):
        raise ApiError(400, "bad request data: the body should be a JSON object")
    return data
