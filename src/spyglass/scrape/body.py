"""A target's body, and where one comes from."""

from dataclasses import dataclass
from typing import Protocol

from spyglass.scrape.target import Target

BODY_BYTES_MAX = 512 << 20
"""Where a job sets no body_size_limit: more would be held in memory twice while it is decoded."""


class FetchFailed(Exception):
    """The target gave no usable body; the text says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    body: bytes
    content_type: str


class BodySource(Protocol):
    """Where the bodies of one job's targets come from. Owned by the job's pool, which closes it."""

    async def fetch(self, target: Target) -> Fetched:
        """Raises: FetchFailed."""
        ...

    async def close(self) -> None:
        """Connections are closed; none is opened again."""
        ...
