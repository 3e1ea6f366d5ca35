"""What checks ask of data: the seam between examining and a server or a fixture."""

from collections.abc import Sequence
from typing import Protocol

from spyglass.model.errors import SpyglassError


class NoEvidence(SpyglassError):
    """The data cannot be asked: nobody answers, or a fixture cannot be read."""


class MetricEvidence(Protocol):
    """Metrics. Raises: NoEvidence from each."""

    def names(self) -> frozenset[str]:
        """Of all metrics."""
        ...

    def labels(self, metric: str = "") -> frozenset[str]:
        """Label names of a metric's series; "": of all."""
        ...

    def values(self, label: str, selector: str = "") -> Sequence[str]:
        """Values of a label, of the series that a selector (as written) matches."""
        ...

    def results(self, query: str) -> Sequence[str]:
        """The series of an instant query as texts `name{a="b"} value time`. Raises: QueryError."""
        ...

    def error_of(self, query: str) -> str:
        """Why the query cannot be evaluated, "" where it can."""
        ...


class LogEvidence(Protocol):
    """Logs. Raises: NoEvidence from each."""

    def labels(self) -> frozenset[str]: ...

    def values(self, label: str, selector: str = "") -> Sequence[str]: ...

    def error_of(self, query: str) -> str: ...
