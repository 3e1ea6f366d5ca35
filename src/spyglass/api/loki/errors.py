"""A kind of error becomes a status here, and nowhere else in this API. Bodies are plain text, as Loki's."""

from starlette.responses import PlainTextResponse, Response

from spyglass.api.loki.body import BodyTooLarge
from spyglass.ingest.log_checks import IngestionBlocked
from spyglass.ingest.logs import NoStreams
from spyglass.model import errors

STATUS: tuple[tuple[type[errors.SpyglassError], int], ...] = (
    (errors.ParseError, 400),
    (errors.InvalidParameter, 400),
    # A fault of the query's, which upstream takes for one of its own.
    (errors.AmbiguousMatch, 500),
    (errors.ExecutionError, 400),
    (errors.BudgetExceeded, 400),
    (errors.QueryTimeout, 504),
    (errors.QueryCanceled, 499),
    (errors.RateLimited, 429),
    (BodyTooLarge, 413),
    (NoStreams, 422),
    (errors.IngestError, 400),
    (errors.NotFound, 404),
    (errors.DiskFull, 503),
    (errors.Unavailable, 503),
    (errors.StorageError, 500),
)


def status_of(error: errors.SpyglassError) -> int:
    """The status of a kind of error."""
    if isinstance(error, IngestionBlocked):
        return error.status
    return next((code for kind, code in STATUS if isinstance(error, kind)), 500)


def error_response(error: errors.SpyglassError) -> Response:
    """The answer to a request that failed."""
    return PlainTextResponse(f"{error}\n", status_code=status_of(error))
