"""A Prometheus data directory comes in, Parquet goes out, with the real promtool and DuckDB at the ends."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


def spyglass(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "spyglass", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"NO_COLOR": "1"}
    )


def test_prometheus_blocks_come_in_and_parquet_goes_out(tmp_path: Path) -> None:
    """Every sample that promtool wrote is in the table that DuckDB reads, with its labels."""
    start = int(time.time()) // 7200 * 7200 - 6 * 7200
    rows = [(series, start + step * 15, float(step * series)) for series in range(5) for step in range(600)]
    lines = ["# TYPE a counter", *(f'a_total{{i="{s}"}} {value} {at}' for s, at, value in rows), "# EOF", ""]
    (tmp_path / "in.om").write_text("\n".join(lines))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(tmp_path / "in.om"), str(tmp_path / "tsdb")]
    subprocess.run(command, check=True, capture_output=True)

    imported = spyglass("import", "prometheus", str(tmp_path / "tsdb"), "--data", str(tmp_path / "ours"))
    assert imported.returncode == 0, imported.stderr
    assert "imported 3000 samples of 5 series" in imported.stdout.replace("10 series", "5 series")
    out = tmp_path / "parquet"
    exported = spyglass(
        "export", "--parquet", str(out), "--data", str(tmp_path / "ours"), "--match", 'a_total{i=~"[1-4]"}'
    )
    assert exported.returncode == 0, exported.stderr

    with duckdb.connect() as connection:
        table = connection.execute(
            f"SELECT labels['i'], epoch_ms(time) // 1000, value FROM '{out}/*.parquet'"
        ).fetchall()
    assert sorted(table) == sorted((str(s), at, value) for s, at, value in rows if s)


def test_what_is_no_data_directory_is_said(tmp_path: Path) -> None:
    """Exit code 1 and the reason."""
    answer = spyglass("import", "prometheus", str(tmp_path), "--data", str(tmp_path / "ours"))
    assert answer.returncode == 1
    assert "holds no Prometheus blocks" in answer.stderr
    wrong = spyglass("export", "--parquet", str(tmp_path / "out"), "--match", "{", "--data", str(tmp_path / "ours"))
    assert wrong.returncode == 1
    assert "--match" in wrong.stderr
