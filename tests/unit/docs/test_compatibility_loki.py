"""docs/compatibility.md says what is so."""

from tests.compatibility_loki import BEGIN, END, PAGE, page


def test_the_loki_section_is_fresh() -> None:
    """Otherwise: .venv/bin/python -m tests.compatibility_loki"""
    text = PAGE.read_text()
    assert text.count(BEGIN) == text.count(END) == 1
    assert page(text) == text, "stale: run .venv/bin/python -m tests.compatibility_loki"


def test_a_page_without_the_section_gets_it() -> None:
    """What others wrote stays as it is."""
    text = page("# Compatibility\n\n## PromQL\n\nall\n")
    assert text.startswith("# Compatibility\n\n## PromQL\n\nall\n\n## Loki API and LogQL\n")
    assert page(text + "\nmore\n") == text + "\nmore\n"
