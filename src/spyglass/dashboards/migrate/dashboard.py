"""The order in which the migrations run."""

import copy
from collections.abc import Mapping
from typing import Any

from spyglass.dashboards.documents import body_of


def migrate(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    """A classic dashboard in today's schema; the argument is not changed."""
    return copy.deepcopy(dict(body_of(dashboard)))
