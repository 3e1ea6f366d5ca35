"""Receiving remote write 1.0 and 2.0. Source: Prometheus storage/remote/write_handler.go; the remote write specifications."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from spyglass.api.prometheus.body import COMPRESSED_BYTES_MAX, BodyTooLarge, read_body
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import tenant_of
from spyglass.formats import snappy
from spyglass.formats.remote_write.decoders import DECODERS
from spyglass.ingest.remote_write import RemoteWriteResult
from spyglass.model.errors import DiskFull, InvalidParameter, MalformedBody, Unavailable

NOT_ENABLED = "remote write receiver needs to be enabled with --web.enable-remote-write-receiver"
V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"


async def write(request: Request, deps: PrometheusDeps) -> Response:
    """204: all stored. 400: something was refused, the rest is stored. 415: not a body that we read. 503: try again."""
    if not deps.remote_write_enabled or deps.remote_write is None:
        return _text(404, NOT_ENABLED)
    message, problem = message_of(request.headers.get("content-type", ""))
    if problem:
        return _text(415, problem)
    encoding = request.headers.get("content-encoding", "")
    if encoding not in ("", "snappy"):
        return _text(
            415, f"{encoding} encoding (compression) is not accepted by this server; only snappy is acceptable"
        )
    try:
        body = await read_body(request, COMPRESSED_BYTES_MAX)
    except BodyTooLarge as err:
        return _text(413, str(err))
    return await _stored(request, deps, body, message)


async def _stored(request: Request, deps: PrometheusDeps, body: bytes, message: str) -> Response:
    try:
        tenant = tenant_of(request)
        receiver = deps.remote_write
        assert receiver is not None, "the caller has looked"

        def work() -> RemoteWriteResult:
            return receiver.write(deps.stores.store(tenant), tenant, snappy.decompress(body), message)

        result = await deps.ingest_bridge.run(work)
    except (MalformedBody, InvalidParameter) as err:
        return _text(400, str(err))
    except (DiskFull, Unavailable) as err:
        return _text(503, str(err))
    response = _text(400, result.problem) if result.problem else Response(status_code=204)
    if message == V2:
        response.headers["X-Prometheus-Remote-Write-Samples-Written"] = str(result.samples)
        response.headers["X-Prometheus-Remote-Write-Histograms-Written"] = str(result.histograms)
        response.headers["X-Prometheus-Remote-Write-Exemplars-Written"] = str(result.exemplars)
    return response


def message_of(content_type: str) -> tuple[str, str]:
    """(protobuf message, problem). Nothing said means 1.0, as old senders expect.

    >>> message_of("application/x-protobuf;proto=io.prometheus.write.v2.Request")
    ('io.prometheus.write.v2.Request', '')
    """
    if not content_type:
        return V1, ""
    media, *parameters = (part.strip() for part in content_type.split(";"))
    if media.lower() != "application/x-protobuf":
        return "", f"expected application/x-protobuf as the first (media) part, got {content_type} content-type"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "proto":
            if value not in DECODERS:
                return "", f"got {content_type} content type; unknown remote write protobuf message {value}"
            return value, ""
    return V1, ""


def _text(status: int, message: str) -> Response:
    return PlainTextResponse(message + "\n", status_code=status)
