"""POST /otlp/v1/logs: what OpenTelemetry SDKs and collectors send. Errors are protobuf `google.rpc.Status`, as Loki's."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki.body import inflate, read_body
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.errors import status_of
from spyglass.api.loki.tenant import tenant_of
from spyglass.config.loki_otlp import OtlpConfig, action_of
from spyglass.formats import otlp_logs, wire
from spyglass.model.errors import MalformedBody, SpyglassError


async def logs(request: Request, deps: LokiDeps) -> Response:
    """204 when everything is durable."""
    tenant = tenant_of(request, deps.tenancy)
    fallback = (("service_name", "unknown_service"),) if deps.ingest.limits_of(tenant).service_labels else ()
    try:
        body = await read_body(request)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = request.headers.get("content-encoding", "").strip().lower()

        def store() -> None:
            groups = decode(inflate(body, encoding), kind)
            routes = routes_of(deps.limits_of(tenant).otlp_config)
            streams = otlp_logs.streams_of(groups, now_ns=deps.clock.now_ns(), fallback=fallback, routes=routes)
            if streams:
                deps.ingest.push(tenant, streams)

        await deps.ingest_bridge.run(store)
    except SpyglassError as err:
        return _refusal(err)
    return Response(status_code=204)


@lru_cache(maxsize=64)
def routes_of(config: OtlpConfig) -> otlp_logs.Routes:
    """What a tenant's otlp_config says; Loki's own list of labels goes before it."""
    resource = action_of(config.resource_attributes.attributes_config)
    ignore = config.resource_attributes.ignore_defaults

    def of_resource(name: str) -> otlp_logs.Action:
        return "index_label" if not ignore and name in otlp_logs.INDEX_LABELS else resource(name)

    scope, record = action_of(config.scope_attributes), action_of(config.log_attributes)
    return otlp_logs.Routes(of_resource, scope, record, config.severity_text_as_label)


def decode(body: bytes, kind: str) -> list[otlp_logs.Group]:
    """Raises MalformedBody."""
    if kind == "application/x-protobuf":
        return otlp_logs.decode_protobuf(body)
    if kind == "application/json":
        return otlp_logs.decode_json(body)
    raise MalformedBody(f"content type: {kind} is not supported")


def _refusal(error: SpyglassError) -> Response:
    """OTLP clients retry 429, 502, 503 and 504 only: a fault of ours is a 503."""
    status = status_of(error)
    if status == 500:
        status = 503
    message = wire.put_int(1, status) + wire.put_text(2, str(error))
    return Response(message, status_code=status, media_type="application/octet-stream")
