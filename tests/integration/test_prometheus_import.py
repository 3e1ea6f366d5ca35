"""Blocks that upstream's promtool wrote are read sample for sample."""

import math
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from spyglass.formats.prometheus_block import PrometheusBlock
from spyglass.model.labels import labels_of
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.prometheus_import import import_prometheus
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import Points, dump, points, select, write

PROMTOOL = shutil.which("promtool")
T0 = 1_699_999_200


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_a_prometheus_directory_is_imported(tmp_path: Path) -> None:
    """Six hours of counters, gauges, irregular times and special values: every sample comes over, once, also when imported twice."""
    chance = random.Random(7)
    expected: dict[str, Points] = {}
    lines = ["# TYPE g gauge"]
    for name in ("a", "b", "c"):
        time_ms, value = T0 * 1000, 0.0
        found: Points = []
        for _ in range(700):
            time_ms += chance.choice([15_000, 15_000, 15_001, 14_998, 61_234])
            value = chance.choice([value, value + chance.randrange(50), chance.random() * 1e9, math.inf, -0.5])
            found.append((time_ms, value))
            text = "+Inf" if math.isinf(value) else repr(value)
            lines.append(f'g{{name="{name}"}} {text} {time_ms / 1000:.3f}')
        expected[name] = found
    source = tmp_path / "in.om"
    source.write_text("\n".join([*lines, "# EOF", ""]))
    command = [str(PROMTOOL), "tsdb", "create-blocks-from", "openmetrics", str(source), str(tmp_path / "prometheus")]
    subprocess.run(command, check=True, capture_output=True)
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0, sync_interval_s=60)
    store = DiskMetricStore(tmp_path / "store", files=RealFiles(), clock=VirtualClock(), options=options)
    for _ in range(2):
        report = import_prometheus(tmp_path / "prometheus", store)
        assert (report.samples, report.notes, report.histograms) == (2100, [], 0)
        for name, found in expected.items():
            assert points(store, f"name={name}") == found
    newest = max(found[-1][0] for found in expected.values())
    assert write(store, [(labels_of({"__name__": "g", "name": "new"}), newest + 1, 1.0)]).accepted == 1
    assert len(dump(select(store))) == 4
    store.close()


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_a_damaged_block_is_named_and_the_others_come_over(tmp_path: Path) -> None:
    """An index that is cut short costs its block only."""
    source = tmp_path / "in.om"
    times = [T0 + n * 60 for n in range(300)]
    source.write_text("# TYPE g gauge\n" + "".join(f"g {n} {time}\n" for n, time in enumerate(times)) + "# EOF\n")
    command = [str(PROMTOOL), "tsdb", "create-blocks-from", "openmetrics", str(source), str(tmp_path / "prometheus")]
    subprocess.run(command, check=True, capture_output=True)
    folders = sorted(path.parent for path in (tmp_path / "prometheus").glob("*/index"))
    whole = sum(len(PrometheusBlock(folder).series) for folder in folders)
    assert whole == len(folders) > 1
    (folders[0] / "index").write_bytes((folders[0] / "index").read_bytes()[:60])
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0, sync_interval_s=60)
    store = DiskMetricStore(tmp_path / "store", files=RealFiles(), clock=VirtualClock(), options=options)
    report = import_prometheus(tmp_path / "prometheus", store)
    assert report.blocks == len(folders) - 1
    assert str(folders[0]) in report.notes[0]
    assert 0 < report.samples < 300
    store.close()
