"""What is being scraped, as the APIs and the UI see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spyglass.model.labels import Labels
from spyglass.model.relabel import RelabelRule
from spyglass.model.samples import Metadata


@dataclass(frozen=True, slots=True)
class ActiveTarget:
    """One target. health: unknown, up or down. error: of the last scrape. last_ns 0: never scraped. metadata: by metric family."""

    pool: str
    labels: Labels
    discovered: Labels
    url: str
    interval: str
    timeout: str
    health: str = "unknown"
    error: str = ""
    last_ns: int = 0
    seconds: float = 0.0
    metadata: Mapping[str, Metadata] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DroppedTarget:
    """A target that relabelling dropped."""

    discovered: Labels
    pool: str


class Targets(Protocol):
    """Called on the event loop's thread."""

    def pool_names(self) -> list[str]:
        """Sorted."""
        ...

    def relabel_rules(self, pool: str) -> Sequence[RelabelRule]:
        """The relabel_configs of a pool. Raises: NotFound."""
        ...

    def targets(self, pool: str = "") -> list[ActiveTarget]:
        """By pool and URL. pool "": all."""
        ...

    def dropped(self, pool: str = "") -> list[DroppedTarget]: ...

    def dropped_counts(self) -> dict[str, int]: ...

    def problems(self) -> Sequence[str]:
        """Targets that cannot be scraped, and files of targets that cannot be read."""
        ...
