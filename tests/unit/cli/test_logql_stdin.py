"""spyglass logql --stdin: pipelines over lines from anywhere."""

import io
import json

import pytest

from spyglass.cli.logql_modes.printing import Look, Output
from spyglass.cli.logql_modes.stdin import run_stdin

LINES = b"level=error took=2s msg=slow\nlevel=info took=1ms msg=quick\r\nnot \xff utf-8 ERROR\n"


def answer(query: str, capsys: pytest.CaptureFixture[str], output: Output = Output.RAW) -> list[str]:
    run_stdin(query, Look(output), io.BytesIO(LINES))
    return capsys.readouterr().out.splitlines()


def test_a_pipeline_needs_no_selector(capsys: pytest.CaptureFixture[str]) -> None:
    """Filters, parsers, label filters and templates, as on a server."""
    assert answer('|= "ERROR"', capsys) == ["not \ufffd utf-8 ERROR"]
    assert answer("| logfmt | took > 1s", capsys) == ["level=error took=2s msg=slow"]
    assert answer('| logfmt | level="info" | line_format "{{.msg}}"', capsys) == ["quick"]
    assert answer('|~ "{.*"', capsys) == []


def test_a_selector_gives_the_lines_its_labels(capsys: pytest.CaptureFixture[str]) -> None:
    """Labels of `=` are taken over; one that cannot match is an error with the labels there are."""
    (line,) = answer('{job="x"} |= "quick"', capsys, Output.JSONL)
    assert json.loads(line)["labels"] == {"job": "x", "source": "stdin"}
    with pytest.raises(SystemExit):
        answer('{job=~"x.+"}', capsys)


def test_metric_queries_are_evaluated_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, over all lines."""
    assert answer('sum by (level) (count_over_time({source="stdin"} | logfmt | level!="" [1h]))', capsys) == [
        '{level="error"}\t1',
        '{level="info"}\t1',
    ]


def test_a_bad_query_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """With the parser's message."""
    with pytest.raises(SystemExit):
        answer("| nothing such", capsys)
    assert "parse error" in capsys.readouterr().err
