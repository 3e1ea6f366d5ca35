"""Request bodies, read no further than their limit."""

from starlette.requests import Request

from spyglass.model.errors import IngestError

FORM_BYTES_MAX = 4 << 20
"""Of a query in a form: the longest useful query is far below."""

COMPRESSED_BYTES_MAX = 64 << 20
"""Of remote write and read."""


class BodyTooLarge(IngestError):
    """The body has more bytes than are taken."""


async def read_body(request: Request, limit: int) -> bytes:
    """Raises: BodyTooLarge, as soon as the limit is passed."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BodyTooLarge(f"the body has more than {limit} bytes")
        parts.append(part)
    return b"".join(parts)
