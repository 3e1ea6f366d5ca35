"""Which format a body is in, and what we say we take. Source: Prometheus model/textparse/interface.go, scrape/scrape.go."""

from collections.abc import Sequence

from spyglass.config.prometheus import PROTOCOLS
from spyglass.model.errors import MalformedBody

_WITH_ESCAPING = ("PrometheusText1.0.0", "OpenMetricsText1.0.0")
_FORMATS = {"application/openmetrics-text": True, "text/plain": False}


def accept_header(protocols: Sequence[str]) -> str:
    """In order of preference. The protobuf format is left out: it is not read yet."""
    names = [name for name in protocols if name != "PrometheusProto"]
    weight = len(PROTOCOLS) + 1
    parts = []
    for name in names:
        escaping = ";escaping=allow-utf-8" if name in _WITH_ESCAPING else ""
        parts.append(f"{PROTOCOLS[name]}{escaping};q=0.{weight}")
        weight -= 1
    return ",".join([*parts, f"*/*;q=0.{weight}"])


def is_openmetrics(content_type: str, fallback: str) -> bool:
    """Whether the body is OpenMetrics (else Prometheus text).

    Raises: MalformedBody where the type is missing or foreign and the job names no fallback_scrape_protocol.
    """
    media = content_type.split(";", 1)[0].strip().lower()
    if media in _FORMATS:
        return _FORMATS[media]
    if fallback:
        return fallback.startswith("OpenMetrics")
    if not content_type.strip():
        raise MalformedBody(
            "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target"
        )
    raise MalformedBody(
        f'received unsupported Content-Type "{content_type}" and no fallback_scrape_protocol specified for target'
    )
