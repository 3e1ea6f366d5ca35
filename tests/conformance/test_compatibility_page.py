"""docs/compatibility.md says what the tests say."""

from tests.conformance_data import needs_conformance
from tests.tools import compatibility_prometheus
from tests.tools.compatibility_promql import PAGE, replaced, section


@needs_conformance
def test_the_promql_section_is_up_to_date() -> None:
    """`python -m tests.tools.compatibility_promql` would change nothing."""
    page = PAGE.read_text()
    assert replaced(page, section()) == page


async def test_the_section_on_the_prometheus_api_is_up_to_date() -> None:
    """`python -m tests.tools.compatibility_prometheus` would change nothing, and no endpoint is untested."""
    page, new = PAGE.read_text(), await compatibility_prometheus.section()
    assert compatibility_prometheus.replaced(page, new) == page
    assert "untested" not in new
