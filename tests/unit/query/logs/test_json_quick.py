"""The quick JSON reader says what the exact one says, or nothing."""

import json

from hypothesis import given
from hypothesis import strategies as st

from spyglass.query.exec.logs.json_quick import QuickFields
from spyglass.text.jsonlines import clean_text, decode_object, flatten

KEYS = st.sampled_from(["a", "b", "a_b", "a b", "x", "a_b_x", "", " a", "é"])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-5, 10**20) | FLOATS | st.text('aé"\\\n', max_size=3)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=6
)


def exact(line: str, wanted: frozenset[str], base: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in flatten(decode_object(line)[0]):
        target = f"{name}_extracted" if name in base else name
        if target in wanted:
            found.setdefault(target, clean_text(value))
    return found


@given(
    st.dictionaries(KEYS, VALUES, max_size=5),
    st.frozensets(st.sampled_from(["a", "b", "a_b", "a_b_x", "x", "a_extracted"]), min_size=1),
    st.frozensets(st.sampled_from(["a", "x"])),
    st.booleans(),
)
def test_quick_is_exact_or_silent(
    value: dict[str, object], wanted: frozenset[str], base: frozenset[str], tight: bool
) -> None:
    """Nested and clashing names, odd keys, floats and big numbers, tight and loose spelling."""
    wanted |= frozenset(name.removesuffix("_extracted") for name in wanted)
    line = json.dumps(value, separators=(",", ":") if tight else None)
    got = QuickFields(wanted).read(line, base)
    assert got is None or got == exact(line, wanted, base)


def test_common_lines_need_no_second_look() -> None:
    """Strings, whole numbers, floats, booleans, nested objects."""
    line = '{"level":"info","status":200,"took":0.25,"ok":true,"client":{"ip":"10.0.0.1"},"none":null,"tags":["x"]}'
    quick = QuickFields(frozenset({"level", "status", "took", "ok", "client_ip", "none", "tags"}))
    assert quick.read(line, frozenset()) == {
        "level": "info",
        "status": "200",
        "took": "0.25",
        "ok": "true",
        "client_ip": "10.0.0.1",
    }


def test_doubt_is_left_to_the_exact_reader() -> None:
    """Repeated keys, numbers spelled otherwise, what is no object."""
    quick = QuickFields(frozenset({"k"}))
    for line in ('{"k":1,"k":2}', '{"k":1.50}', '{"k":1e3}', '{"k":-0}', '{"k":1} tail', "[1]", '{"x":{"k":1},"k":2}'):
        assert quick.read(line, frozenset()) is None
