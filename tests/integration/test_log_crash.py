"""kill -9 at random points, short form; `python bench/crash_logs.py` is the long one."""

from pathlib import Path

from spyglass.testing.log_crash import crash_round


def test_acknowledged_lines_survive_kill_9_once(tmp_path: Path) -> None:
    """Eight kills of one store, each at another moment of appending, cutting blocks and merging them."""
    first = 0
    for seed in range(8):
        following = crash_round(tmp_path, seed, first)
        assert following > first
        first = following
