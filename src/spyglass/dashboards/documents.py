"""Dashboard files as text: parse, unwrap, pack, name.

A file holds a classic dashboard, one inside `{"dashboard": {...}}` (what the API exports), or a resource (`apiVersion`, `kind`,
`spec`). What lists need is read from any of them without migrating.
"""

import hashlib
import json
import re
import secrets
import unicodedata
import zlib
from collections.abc import Mapping
from typing import Any

MAX_BYTES = 32 << 20
"""A dashboard larger than this is refused. The largest public one is 3 MB."""


MAX_DEPTH = 100
"""Objects within objects; real dashboards have a dozen. Deeper ones would only exhaust the stack of whoever walks them."""


class NotADashboard(ValueError):
    """The text is no dashboard; the message says why, with line and column where there is one."""


def parse_dashboard(text: str | bytes) -> dict[str, Any]:
    """Parse and check that it is a dashboard. Raises: NotADashboard."""
    if len(text) > MAX_BYTES:
        raise NotADashboard(f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as err:
        raise NotADashboard(f"is not JSON: {err.msg} (line {err.lineno}, column {err.colno})") from None
    except (UnicodeDecodeError, RecursionError, ValueError) as err:
        raise NotADashboard(f"is not JSON: {err}") from None
    if is_too_deep(data):
        raise NotADashboard(f"is nested more than {MAX_DEPTH} levels deep")
    if not isinstance(data, dict):
        raise NotADashboard("is JSON, but no dashboard: the outermost value should be an object")
    if not isinstance(title_of(data), str) or not title_of(data).strip():
        raise NotADashboard("has no title: a dashboard needs one")
    return data


def is_too_deep(data: object) -> bool:
    """Whether something is nested deeper than MAX_DEPTH. Walks level by level, without recursion."""
    level: list[object] = [data]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
        if not inner:
            return False
        level = inner
    return True


def is_resource(data: Mapping[str, Any]) -> bool:
    """Whether it is a resource (`apiVersion: dashboard.grafana.app/...`), v1 or v2."""
    return isinstance(data.get("spec"), dict) and (
        str(data.get("apiVersion", "")).startswith("dashboard.grafana.app/") or data.get("kind") == "Dashboard"
    )


def body_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The dashboard itself, out of its wrapping."""
    inner = data.get("dashboard")
    if isinstance(inner, dict) and "panels" not in data and "rows" not in data:
        return body_of(inner)
    if is_resource(data):
        spec: Mapping[str, Any] = data["spec"]
        return spec
    return data


def title_of(data: Mapping[str, Any]) -> str:
    title = body_of(data).get("title")
    return title if isinstance(title, str) else ""


def uid_of(data: Mapping[str, Any]) -> str:
    """The uid it names, or "" (a resource's is its metadata.name)."""
    metadata = data.get("metadata")
    if is_resource(data) and isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
        return str(metadata["name"])
    uid = body_of(data).get("uid")
    return uid.strip() if isinstance(uid, str) else ""


def tags_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    tags = body_of(data).get("tags")
    if isinstance(tags, str):
        tags = tags.split(",")
    return tuple(str(tag) for tag in tags) if isinstance(tags, list) else ()


def version_of(data: Mapping[str, Any]) -> int:
    version = body_of(data).get("version")
    return version if isinstance(version, int) and not isinstance(version, bool) and version > 0 else 0


def pack(data: Mapping[str, Any]) -> bytes:
    """Compressed JSON, a tenth of the text; key order and number forms are kept."""
    return zlib.compress(
        json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"), 6
    )


def unpack(packed: bytes) -> dict[str, Any]:
    # From bytes: json then finds the encoding itself, a byte order mark included.
    data: dict[str, Any] = json.loads(zlib.decompress(packed))
    return data


def derived_uid(*parts: str) -> str:
    """A lasting uid for what names none: 14 hex digits."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:14]


def fresh_uid() -> str:
    """A uid as Grafana makes them: 14 characters, no two alike."""
    return secrets.token_hex(7)


def slug(title: str) -> str:
    """The readable part of a dashboard's address.

    >>> slug("ClientForge Backend - Overview")
    'clientforge-backend-overview'
    """
    ascii_text = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-") or derived_uid(title)


VALID_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
