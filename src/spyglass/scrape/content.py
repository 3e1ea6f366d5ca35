"""Which format a body is in, and what we say we take. Source: Prometheus model/textparse/interface.go, scrape/scrape.go."""

from collections.abc import Sequence
from typing import Literal

from spyglass.config.prometheus import PROTOCOLS
from spyglass.model.errors import MalformedBody

_WITH_ESCAPING = ("PrometheusText1.0.0", "OpenMetricsText1.0.0")
BodyKind = Literal["text", "openmetrics", "protobuf"]

_KINDS: dict[str, BodyKind] = {
    "application/openmetrics-text": "openmetrics",
    "text/plain": "text",
    "application/vnd.google.protobuf": "protobuf",
}


def accept_header(protocols: Sequence[str]) -> str:
    """In order of preference."""
    weight = len(PROTOCOLS) + 1
    parts = []
    for name in protocols:
        escaping = ";escaping=allow-utf-8" if name in _WITH_ESCAPING else ""
        parts.append(f"{PROTOCOLS[name]}{escaping};q=0.{weight}")
        weight -= 1
    return ",".join([*parts, f"*/*;q=0.{weight}"])


def body_kind(content_type: str, fallback: str) -> BodyKind:
    """The format of a body.

    Raises: MalformedBody where the type is missing or foreign and the job names no fallback_scrape_protocol.
    """
    media = content_type.split(";", 1)[0].strip().lower()
    if media in _KINDS:
        return _KINDS[media]
    if fallback:
        return _KINDS[PROTOCOLS[fallback].split(";", 1)[0]]
    if not content_type.strip():
        raise MalformedBody(
            "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
        )
    raise MalformedBody(
        f'received unsupported Content-Type "{content_type}" and no fallback_scrape_protocol specified for target'
    )
