"""Keeping resident memory low without paying for it on every push: few malloc arenas, and free pages given back now and then.

glibc gives each thread an arena of its own and keeps what was freed in it. With a dozen threads, each of which now and then builds a
large answer, that is tens of megabytes which nobody uses. On the other hand it gives large arrays back to the system as soon as they
are freed, to take (and have zeroed) the same pages again a moment later: a sixth of the CPU time of taking in logs. So pages are kept
up to a bound, and `give_back` returns them from time to time. Elsewhere (musl, macOS) these calls do nothing.
"""

import ctypes
import gc
from collections.abc import Callable

M_ARENA_MAX, M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -8, -1, -3
ARENAS = 2
KEPT_BYTES = 64 << 20
"""Free pages at the end of an arena that are kept for the next array. More: fewer page faults; less: a lower peak."""
LARGEST_BYTES = 32 << 20
"""Larger arrays have a mapping of their own, which goes with them. It is the most that glibc takes."""

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
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, LARGEST_BYTES)


def give_back() -> None:
    """Return free pages to the system; a few milliseconds."""
    trim = _libc("malloc_trim")
    if trim is not None:
        trim(0)


def settle_garbage() -> None:
    """Call when everything is built: what is there stays, so the collector, which runs from now on, need not walk it."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    gc.enable()


def collect_settled() -> None:
    """Free what starting left behind (a class that has got slots, say, was made twice). Takes some 30 ms, so: after the first answers."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
