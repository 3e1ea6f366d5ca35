"""Keeping resident memory low: few malloc arenas, and free pages given back.

glibc gives each thread an arena of its own and keeps what was freed in it. With a dozen threads, each of which now and then builds a
large answer, that is tens of megabytes which nobody uses. Elsewhere (musl, macOS) these calls do nothing.
"""

import ctypes
from collections.abc import Callable

M_ARENA_MAX = -8
ARENAS = 2


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
