"""POST /loki/api/v1/push and /api/prom/push: protobuf with snappy, or JSON; optionally gzip or deflate around it."""

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki.body import inflate, read_body
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import tenant_of
from spyglass.formats.loki_push import Streams, decode_json, decode_protobuf
from spyglass.model.errors import MalformedBody

PROTOBUF = ("", "application/x-protobuf", "application/vnd.google.protobuf")


async def push(request: Request, deps: LokiDeps) -> Response:
    """204 when everything is durable; 400 with the reason when something was refused (the rest is stored)."""
    tenant = tenant_of(request, deps.tenancy)
    body = await read_body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "").strip().lower()

    def store() -> None:
        problems: list[str] = []
        streams = decode(body, kind, encoding, problems)
        deps.ingest.push(tenant, streams, problems=problems)

    await deps.ingest_bridge.run(store)
    return Response(status_code=204)


def decode(body: bytes, kind: str, encoding: str, problems: list[str]) -> Streams:
    """The body's streams; streams that are no streams are named in `problems`. Raises MalformedBody, BodyTooLarge.

    What is not JSON is read as protobuf whatever it is called, as Loki does.
    """
    data = body if encoding == "snappy" else inflate(body, encoding)
    if kind == "application/json":
        return decode_json(data, problems=problems)
    try:
        return decode_protobuf(data, problems=problems)
    except MalformedBody as err:
        if kind in PROTOBUF:
            raise
        hint = "send application/json, or snappy-compressed application/x-protobuf"
        raise MalformedBody(f"{err} (Content-Type {kind!r} is read as protobuf: {hint})") from None


__all__ = ["decode", "push"]
