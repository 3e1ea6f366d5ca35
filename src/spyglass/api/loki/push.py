"""POST /loki/api/v1/push and /api/prom/push: protobuf with snappy, or JSON; optionally gzip or deflate around it."""

import zlib

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import tenant_of
from spyglass.formats.loki_push import MAX_BODY_BYTES, Streams, decode_json, decode_protobuf
from spyglass.model.errors import MalformedBody


async def push(request: Request, deps: LokiDeps) -> Response:
    """204 when everything is durable; 400 with the reason when something was refused (the rest is stored)."""
    tenant = tenant_of(request, auth_enabled=deps.auth_enabled)
    body = await _read(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "").strip().lower()

    def store() -> None:
        problems: list[str] = []
        streams = decode(body, kind, encoding, problems)
        deps.ingest.push(tenant, streams, problems=problems)

    await deps.ingest_bridge.run(store)
    return Response(status_code=204)


def decode(body: bytes, kind: str, encoding: str, problems: list[str]) -> Streams:
    """The body's streams; streams that are no streams are named in `problems`. Raises MalformedBody."""
    if encoding == "snappy" or (kind in ("application/x-protobuf", "application/vnd.google.protobuf") and not encoding):
        return decode_protobuf(body, problems=problems)
    body = _inflate(body, encoding)
    if kind == "application/json":
        return decode_json(body, problems=problems)
    if kind in ("", "application/x-protobuf", "application/vnd.google.protobuf"):
        return decode_protobuf(body, problems=problems)
    raise MalformedBody(f"Content-Type {kind!r} is not supported: send application/json or application/x-protobuf")


async def _read(request: Request) -> bytes:
    """The body, never more than the limit in memory."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise MalformedBody(f"the body is larger than {MAX_BODY_BYTES} bytes; send smaller batches")
        chunks.append(chunk)
    return b"".join(chunks)


def _inflate(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise MalformedBody(f"Content-Encoding {encoding!r} is not supported: send gzip, deflate, snappy or none")
    wbits = (zlib.MAX_WBITS | 16,) if encoding == "gzip" else (zlib.MAX_WBITS, -zlib.MAX_WBITS)
    for bits in wbits:
        machine = zlib.decompressobj(bits)
        try:
            data = machine.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(data) > MAX_BODY_BYTES:
            raise MalformedBody(f"the body inflates to more than {MAX_BODY_BYTES} bytes; send smaller batches")
        if not machine.eof:
            raise MalformedBody(f"the body is not valid {encoding}: it ends too early")
        return data
    raise MalformedBody(f"the body is not valid {encoding}")


__all__ = ["decode", "push"]
