"""Go string literals, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.text.gostring import quote, unquote


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_quoted_reads_back(text: str) -> None:
    """Any text survives."""
    assert unquote(quote(text)) == text


@pytest.mark.parametrize(
    "literal", ["", '"', "x", '"a', '"a"b"', '"\\q"', '"\\xZZ"', '"\\ud800"', "`a`b`", '"\n"', '"\\777"']
)
def test_what_is_no_literal(literal: str) -> None:
    """Go's text for all of them."""
    with pytest.raises(ValueError, match="invalid syntax"):
        unquote(literal)


def test_byte_escapes_spell_utf8() -> None:
    """Hexadecimal and octal escapes are bytes, not characters."""
    assert unquote('"\\xc3\\xa9 \\303\\251 \\u00e9"') == "é é é"
