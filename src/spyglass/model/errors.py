"""The one error tree. A leaf says whose fault it is; each API turns a kind into a status in one function.

SpyglassError
|-- ConfigError            the operator's file: "file:line: key: what is wrong"
|-- QueryError             the asker's query; holds the span that is at fault
|   |-- ParseError             it is not in the language                      (400 bad_data)
|   |-- InvalidParameter       a parameter of the request                     (400 bad_data)
|   |-- ExecutionError         it cannot be evaluated on this data            (422 execution)
|   |   `-- AmbiguousMatch         series of a binary operation match several (422 execution; Loki: 500)
|   |-- BudgetExceeded         it touched more than it may                    (422 execution)
|   |-- QueryTimeout           it ran longer than it may                      (503 timeout)
|   `-- QueryCanceled          the asker left                                 (503 canceled)
|-- IngestError            the sender's body
|   |-- MalformedBody          it cannot be decoded                           (400)
|   |-- RejectedSamples        decoded, but some entries were refused; the rest is stored (400)
|   `-- RateLimited            too much, try later                            (429)
|-- NotFound               the thing asked for does not exist                 (404)
|-- Unavailable            not ready, or shutting down                        (503)
`-- StorageError           the disk
    |-- DiskFull               writes are refused until there is space        (503)
    |-- CorruptData            a file failed its checksum; names the file
    `-- StoreLocked            another process holds the data directory
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range [start, end) of character offsets in a query."""

    start: int
    end: int

    def line_column(self, text: str) -> tuple[int, int]:
        """1-based line and column of the start of the span in `text`."""
        before = text[: self.start]
        return before.count("\n") + 1, self.start - (before.rfind("\n") + 1) + 1


class SpyglassError(Exception):
    """Root of everything that Spyglass raises on purpose."""


class ConfigError(SpyglassError):
    """A configuration file that cannot be used.

    Rendered as `file:line: key: message`; line is 1-based, 0 where it is not known.
    """

    def __init__(self, message: str, *, file: str = "", line: int = 0, key: str = "") -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(f"{place}{key + ': ' if key else ''}{message}")


class QueryError(SpyglassError):
    """A query that cannot be answered; `span` marks the part at fault, `hint` says what to do."""

    def __init__(self, message: str, *, span: Span | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.span, self.hint = message, span, hint


class ParseError(QueryError):
    """The text is not in the language. The message holds upstream's text, position prefix included."""


class InvalidParameter(QueryError):
    """A parameter of the request cannot be used."""


class ExecutionError(QueryError):
    """The query is valid but cannot be evaluated on this data."""


class AmbiguousMatch(ExecutionError):
    """A binary operation finds several series where it may find one."""


class BudgetExceeded(QueryError):
    """The query touched more samples, series, lines or bytes than it may."""


class QueryTimeout(QueryError):
    """The query ran longer than it may."""


class QueryCanceled(QueryError):
    """The asker left before the answer."""


class IngestError(SpyglassError):
    """A body that cannot be taken, in whole or in part."""


class MalformedBody(IngestError):
    """The body cannot be decoded; nothing of it was stored."""


class RejectedSamples(IngestError):
    """Some entries were refused, the others are stored. `accepted` and `rejected` count entries."""

    def __init__(self, message: str, *, accepted: int = 0, rejected: int = 0) -> None:
        super().__init__(message)
        self.accepted, self.rejected = accepted, rejected


class RateLimited(IngestError):
    """The sender is over its limit; the same body may be sent again later."""


class NotFound(SpyglassError):
    """The thing asked for does not exist."""


class Unavailable(SpyglassError):
    """The part is not ready yet, or is shutting down."""


class StorageError(SpyglassError):
    """The disk, or what is on it."""


class DiskFull(StorageError):
    """No space (or less than the free-space floor): writes are refused until there is."""


class CorruptData(StorageError):
    """A file failed its checksum; the message names it."""


class StoreLocked(StorageError):
    """Another process holds the data directory; `pid` says which, 0 where it is not known."""

    def __init__(self, message: str, *, pid: int = 0) -> None:
        super().__init__(message)
        self.pid = pid
