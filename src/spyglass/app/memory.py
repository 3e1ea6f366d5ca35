"""Keeping resident memory low: few malloc arenas, and free pages given back.

glibc gives each thread an arena of its own and keeps what was freed in it. With a dozen threads, each of which now and then builds a
large answer, that is tens of megabytes which nobody uses. Elsewhere (musl, macOS) these calls do nothing.
"""

import ctypes
import gc
from collections.abc import Callable

M_ARENA_MAX = -8
ARENAS = 2

COLLECT_AFTER = 20_000
"""New objects before the collector looks at the young ones (Python: 700). A push makes thousands that all go by themselves."""


def _libc(name: str) -> Callable[..., int] | None:
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL("libc.so.6"), name)
    except (OSError, AttributeError):
        return None
    return function


def limit_arenas() -> None:
    """Call before threads are started."""
    mallopt = _libc("mallopt")
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)


def give_back() -> None:
    """Return free pages to the system; a few milliseconds."""
    trim = _libc("malloc_trim")
    if trim is not None:
        trim(0)


def settle_garbage() -> None:
    """Call when everything is built: what is there stays, so the collector need not walk it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
