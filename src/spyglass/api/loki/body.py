"""Bodies of pushes: read within the limit, inflated within the limit."""

import zlib

from starlette.requests import Request

from spyglass.formats.loki_push import MAX_BODY_BYTES
from spyglass.model.errors import MalformedBody


class BodyTooLarge(MalformedBody):
    """413: smaller batches are needed."""

    def __init__(self, size: int) -> None:
        super().__init__(f"request body too large: {size} bytes, limit: {MAX_BODY_BYTES} bytes")


async def read_body(request: Request) -> bytes:
    """The body, never more than the limit in memory. Raises BodyTooLarge."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(size)
        chunks.append(chunk)
    return b"".join(chunks)


def inflate(body: bytes, encoding: str) -> bytes:
    """What gzip, deflate (with or without zlib's frame) or nothing was put around. Raises MalformedBody, BodyTooLarge."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise MalformedBody(f'Content-Encoding "{encoding}" not supported')
    wbits = (zlib.MAX_WBITS | 16,) if encoding == "gzip" else (zlib.MAX_WBITS, -zlib.MAX_WBITS)
    for bits in wbits:
        machine = zlib.decompressobj(bits)
        try:
            data = machine.decompress(body, MAX_BODY_BYTES + 1)
        except zlib.error:
            continue
        if len(data) > MAX_BODY_BYTES:
            raise BodyTooLarge(len(data))
        if not machine.eof:
            raise MalformedBody(f"the body is not valid {encoding}: it ends too early")
        return data
    raise MalformedBody(f"the body is not valid {encoding}")
