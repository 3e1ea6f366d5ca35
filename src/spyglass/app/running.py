"""The file in a data folder that says who runs there, and where the doors are: for `status` and `down`, which import little."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

STATE_FILE = "spyglass.json"


def write_state(data: Path, addresses: Mapping[str, str]) -> None:
    """This process runs on `data`. addresses: host:port by part."""
    path = data / STATE_FILE
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"pid": os.getpid(), "started": time.time(), "addresses": dict(addresses)}))
    temporary.rename(path)


def read_state(data: Path) -> dict[str, object] | None:
    """What a running server wrote into its data folder, or None."""
    try:
        state: dict[str, object] = json.loads((data / STATE_FILE).read_text())
    except (OSError, ValueError):
        return None
    return state


def remove_state(data: Path) -> None:
    """Nobody runs there any more."""
    (data / STATE_FILE).unlink(missing_ok=True)
