"""A target's body, and where one comes from."""

from dataclasses import dataclass
from typing import Protocol

from spyglass.scrape.target import Target


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
