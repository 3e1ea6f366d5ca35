"""A consistent copy of the blocks: hard links where the file system has them, else copies. It opens as a store of its own."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from spyglass.protocols.files import Files
from spyglass.storage.files import storage_errors
from spyglass.storage.metrics.block import TOMBSTONE_SUFFIX, Block


def write_snapshot(path: Path, blocks: Sequence[Block], files: Files) -> None:
    """Publish the folder `path` with the blocks in it, all or nothing."""
    temporary = path.with_name(path.name + ".tmp")
    with storage_errors(path, "writing the snapshot"):
        (temporary / "blocks").mkdir(parents=True)
        for block in blocks:
            for source in (block.path, block.path.with_suffix(TOMBSTONE_SUFFIX)):
                if source.exists():
                    _link_or_copy(source, temporary / "blocks" / source.name)
    files.publish(temporary, path)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
