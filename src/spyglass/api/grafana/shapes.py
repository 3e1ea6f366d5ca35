"""The forms that search, folders and dashboards share: addresses, times, texts of a body."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from spyglass.protocols.dashboards import DashboardInfo, Folder

T = TypeVar("T")


def dashboard_url(base: str, info: DashboardInfo) -> str:
    return f"{base}/d/{quote(info.uid, safe='')}/{info.slug}"


def folder_url(base: str, folder: Folder) -> str:
    return f"{base}/dashboards/f/{quote(folder.uid, safe='')}/{folder.slug}" if folder.uid else f"{base}/dashboards"


def iso(time_ms: int) -> str:
    """RFC 3339 in UTC; Go's zero time for 0."""
    if time_ms <= 0:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_of(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


async def in_thread(call: Callable[[], T]) -> T:
    """Run a library call in a thread: it may touch the disk or migrate a large dashboard."""
    return await asyncio.to_thread(call)
