"""kill -9 at random points, short form; `python -m bench.crash` is the long one."""

from pathlib import Path

from spyglass.testing.crash import crash_round


def test_acknowledged_samples_survive_kill_9(tmp_path: Path) -> None:
    """Twelve kills of one store, each at another moment of appending, flushing and compacting."""
    scrapes = [crash_round(tmp_path, seed).scrapes for seed in range(12)]
    assert scrapes == sorted(scrapes)
    assert scrapes[-1] > scrapes[0]
