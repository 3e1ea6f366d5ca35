"""What a first query would import, imported in the background once the doors answer.

Neither is imported by us: numpy's `unique` asks its masked arrays, and starlette asks anyio whether a client is still there. Together they
are some 40 modules, which the first query of a dashboard would wait for.
"""

import importlib
import logging

FIRST_QUERY = ("numpy.ma", "anyio._backends._asyncio")

log = logging.getLogger(__name__)


def import_what_comes_first() -> None:
    """Call from a thread. What is not there (another version of a library) is imported by whoever needs it, if anybody does."""
    for name in FIRST_QUERY:
        try:
            importlib.import_module(name)
        except ImportError:
            log.debug("%s is not there to be imported early", name)
