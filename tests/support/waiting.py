"""Waiting for a condition instead of for a time."""

import asyncio
import time
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, seconds: float = 10.0, what: str = "") -> None:
    """Return as soon as the condition holds; fail when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain{': ' + what if what else ''}"
        await asyncio.sleep(0.01)
