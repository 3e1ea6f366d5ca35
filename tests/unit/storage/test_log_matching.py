"""Lines against a template in columns, and the columns made of them: the same as one line at a time."""

import json
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.log_columns import encode_lines, offsets_of
from spyglass.storage.logs.column import DictColumn
from spyglass.storage.logs.hashes import hash_matrix
from spyglass.storage.logs.matching import Lines, Matched, match
from spyglass.storage.logs.slots import encode_slot, numbered
from spyglass.storage.logs.template import Template, find_template

SIZES = (0, 1, 7, 8, 9, 31, 32, 33, 250, 255, 256, 257, 300, 1000)


def lines_of(texts: list[str]) -> Lines:
    blob, lengths = encode_lines(texts)
    return Lines.of(blob, offsets_of(lengths))


def pieces_of(found: Matched, lines: Lines) -> list[tuple[int, list[bytes]]]:
    """(row, its slots) of each line."""
    texts = []
    for pieces in found.slots:
        ends = np.cumsum(pieces.lengths).tolist()
        blob = pieces.text(lines.buffer)
        texts.append([blob[a:b] for a, b in zip([0, *ends], ends, strict=False)])
    return list(zip(found.rows.tolist(), map(list, zip(*texts, strict=True)), strict=True))


def one_by_one(template: Template, line: bytes) -> list[bytes] | None:
    """The plain twin: every slot ends before the next anchor that has no backslash before it."""
    first, *inner, last = template.consts
    if not line.startswith(first):
        return None
    at, slots = len(first), []
    for const in inner:
        place = line.find(template.anchor, at)
        while place > at and line[place - 1 : place] == b"\\":
            place = line.find(template.anchor, place + 1)
        end = place - const.index(template.anchor)
        if place < 0 or end < at or not line.startswith(const, end):
            return None
        slots.append(line[at:end])
        at = end + len(const)
    text = line[at : len(line) - len(last)]
    if len(line) - len(last) < at or not line.endswith(last) or template.anchor in text.replace(b'\\"', b""):
        return None
    return [*slots, text]


def changed(rng: random.Random, line: str) -> str:
    """Now and then one character is another, or the end is missing."""
    if rng.random() < 0.1:
        at = rng.randrange(len(line))
        line = line[:at] + rng.choice(['"', ",", "}", "x", "é", ""]) + line[at + 1 :]
    return line[: rng.randrange(1, len(line))] if rng.random() < 0.05 else line


@pytest.mark.parametrize("last", ['"v"', "17"])
def test_lines_are_cut_as_one_by_one(last: str) -> None:
    """Values of all sizes, escaped quotes, lines of other shapes and broken ones, a template that ends in a string or a number."""
    rng = random.Random(3)
    texts = []
    for _ in range(5000):
        value = "x" * rng.choice(SIZES if rng.random() < 0.02 else (1, 5, 9))
        line = (
            f'{{"a":"{value}","b":{rng.randrange(200)},"c":{json.dumps(rng.choice(["y", "é", chr(34)]))},"d":{last}}}'
        )
        texts.append(changed(rng, line if rng.random() < 0.9 else f'{{"a":"{value}"}}'))
    lines = lines_of(texts)
    template = find_template(f'{{"a":"x","b":1,"c":"y","d":{last}}}'.encode())
    assert template is not None
    found = match(template, lines, np.arange(len(texts)))
    wanted = [(row, one_by_one(template, text.encode())) for row, text in enumerate(texts)]
    assert pieces_of(found, lines) == [(row, slots) for row, slots in wanted if slots is not None]
    assert found.size > 3000


def test_nothing_is_read_past_a_line() -> None:
    """A line that is cut short does not go on in the next one."""
    texts = ['{"a":"x', '","b":"y"}', '{"a":"x","b":"y"}']
    template = find_template(texts[2].encode())
    assert template is not None
    assert match(template, lines_of(texts), np.arange(3)).rows.tolist() == [2]


def test_the_long_values_of_other_lines_cost_no_dictionary() -> None:
    """A value that is too long for a matrix, in a line that does not fit, leaves the others theirs."""
    texts = [*[f'{{"a":"{n % 3}","b":"y"}}' for n in range(100)], '{"a":"' + "x" * 1000 + '","b":y}']
    lines, template = lines_of(texts), find_template(texts[0].encode())
    assert template is not None
    found = match(template, lines, np.arange(len(texts)))
    assert found.size == 100
    column = encode_slot(found.slots[0], lines.buffer, quoted=True)
    assert isinstance(column, DictColumn)
    assert column.values.texts == ["0", "1", "2"]


@given(st.lists(st.integers(0, 40), max_size=200), st.booleans())
def test_hashes_are_numbered_by_first_occurrence(values: list[int], colliding: bool) -> None:
    """Also where they share a bucket of the table."""
    words = np.asarray(values, np.uint64)
    hashes = words if colliding else hash_matrix(words.view(np.uint8).reshape(-1, 8))
    first, codes = numbered(hashes)
    distinct = list(dict.fromkeys(values))
    assert first.tolist() == [values.index(value) for value in distinct]
    assert codes.tolist() == [distinct.index(value) for value in values]
