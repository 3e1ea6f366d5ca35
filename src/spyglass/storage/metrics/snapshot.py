"""A consistent copy of the blocks: hard links where the file system has them, else copies. It opens as a store of its own."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from spyglass.protocols.files import Files
from spyglass.storage.files import storage_errors
from spyglass.storage.metrics.block import TOMBSTONE_SUFFIX, Block
from spyglass.storage.metrics.level import Level


def write_snapshot(path: Path, blocks: Sequence[Block], levels: Sequence[Level], files: Files) -> None:
    """Publish the folder `path` with the blocks of samples and of buckets in it, all or nothing."""
    temporary = path.with_name(path.name + ".tmp")
    with storage_errors(path, "writing the snapshot"):
        _copy_all(temporary / "blocks", blocks)
        for level in levels:
            _copy_all(temporary / "downsampled" / str(level.resolution_ms), level.blocks)
    files.publish(temporary, path)


def _copy_all(folder: Path, blocks: Sequence[Block]) -> None:
    folder.mkdir(parents=True)
    for block in blocks:
        for source in (block.path, block.path.with_suffix(TOMBSTONE_SUFFIX)):
            if source.exists():
                _link_or_copy(source, folder / source.name)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
