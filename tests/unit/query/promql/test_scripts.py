"""Our own scripts in upstream's test language, beside this file: what the given ones do not cover."""

from pathlib import Path

import pytest

from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.testing.promqltest.runner import run_script
from spyglass.testing.promqltest.targets import EngineTarget

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.test"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_passes(script: Path) -> None:
    """Every eval gives what the script says."""
    report = run_script(
        script.read_text(encoding="utf-8"), EngineTarget(lambda: MemoryMetricStore(out_of_order_window_ms=10**12))
    )
    assert report.cases > 0
    assert not report.failures, "\n".join(report.failures)


def test_a_wrong_expectation_is_reported_with_its_line() -> None:
    """The runner finds values, series, order, errors and notes that are not as they should be."""
    script = """
load 1m
  m{a="1"} 1
  m{a="2"} 2

eval instant at 0 m
  m{a="1"} 5
  m{a="2"} 2

eval instant at 0 m
  m{a="1"} 1

eval instant at 0 sort(m)
  expect ordered
  m{a="2"} 2
  m{a="1"} 1

eval instant at 0 m
  expect fail

eval instant at 0 m
  expect warn
  m{a="1"} 1
  m{a="2"} 2

eval instant at 0 unknown(m)
  {} 1
"""
    report = run_script(script, EngineTarget(MemoryMetricStore))
    assert (report.cases, report.passed) == (6, 0)
    assert [failure.split(":")[0] for failure in report.failures] == [f"line {n}" for n in (6, 10, 13, 18, 21, 26)]
