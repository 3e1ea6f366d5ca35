"""The block format: what others read in it, what its codecs promise, and that old files stay readable."""

import random
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.errors import CorruptData
from spyglass.protocols.log_store import LogEntry
from spyglass.storage.files import RealFiles
from spyglass.storage.logs import pages
from spyglass.storage.logs.block import Block
from spyglass.storage.logs.block_writer import block_chunks
from spyglass.storage.logs.cache import ColumnCache
from spyglass.storage.logs.column import TextTable
from spyglass.storage.logs.contains import contains, find_in_table
from spyglass.storage.logs.encode import encode_part
from spyglass.storage.logs.filters import bloom_block, bloom_may_hold, build_bloom, padded_matrix
from spyglass.storage.logs.hashes import hash_value
from spyglass.storage.logs.part import lines_of
from spyglass.storage.logs.rows import Rows, rows_of
from spyglass.storage.logs.shred import TemplateMemory, shred
from spyglass.storage.logs.slot_numbers import parse_integers, parse_iso
from spyglass.storage.logs.stored_part import StoredPart
from spyglass.storage.logs.template import RAW, find_template
from spyglass.testing.log_store_suite import APP, T0, WORKER, random_line

FIXTURE = Path(__file__).parents[2] / "fixtures" / "logs" / "block-v1.parquet"
JOURNAL_FIXTURE = FIXTURE.with_name("journal-record-v1.bin")


def sample_rows(count: int = 400) -> Rows:
    """Lines of all shapes in two streams, some with metadata."""
    rng = random.Random(5)
    entries = [
        LogEntry(T0 + i * 1_000_000, random_line(rng, i), (("trace", f"t{i % 3}"),) if i % 50 == 0 else ())
        for i in range(count)
    ]
    return rows_of([(APP, entries[::2]), (WORKER, entries[1::2])])


def write_block(path: Path, rows: Rows) -> Block:
    parts = shred(rows, np.arange(rows.size), TemplateMemory())
    RealFiles().write_atomic(path, block_chunks([encode_part(part) for part in parts], journal_end=17))
    return Block(path)


def lines_in(block: Block) -> list[str]:
    """All lines by arrival."""
    cache = ColumnCache(1 << 20)
    found: list[tuple[int, str]] = []
    for entry in block.entries():
        part = StoredPart(block, entry, cache)
        found += zip(part.seqs().tolist(), lines_of(part, np.arange(part.size)), strict=True)
    return [line for _, line in sorted(found)]


def test_duckdb_reads_a_block(tmp_path: Path) -> None:
    """A block is a Parquet file: every line can be put together from its columns, and fields have types."""
    rows = sample_rows()
    block = write_block(tmp_path / "b.parquet", rows)
    with duckdb.connect() as connection:
        table = connection.sql(f"select * from read_parquet('{block.path}')")
        names = table.columns
        records = [dict(zip(names, record, strict=True)) for record in table.fetchall()]
    assert len(records) == rows.size
    expected = set(rows.lines(np.arange(rows.size)))
    for record in records:
        if record["template"] is None:
            assert record["line"] in expected
    assert {record["stream"] for record in records} == {'{"app":"web","env":"prod"}', '{"app":"worker","env":"prod"}'}
    assert any(isinstance(record.get("field.n:int"), int) for record in records)
    assert sum(record["metadata"] not in (None, "{}") for record in records) == 8


def test_version_1_stays_readable() -> None:
    """A block and a journal record that version 1 wrote give the same lines for ever."""
    expected = sample_rows().lines(np.arange(sample_rows().size))
    assert lines_in(Block(FIXTURE)) == expected
    record = Rows.decode(JOURNAL_FIXTURE.read_bytes())
    assert record.lines(np.arange(record.size)) == expected


def test_a_journal_record_of_another_version_is_refused() -> None:
    """What is not a record says so."""
    with pytest.raises(CorruptData, match="version 9"):
        Rows.decode(b"\x09\0\0\0" + JOURNAL_FIXTURE.read_bytes()[4:])
    with pytest.raises(CorruptData):
        Rows.decode(JOURNAL_FIXTURE.read_bytes()[:-1])
    with pytest.raises(CorruptData):
        Rows.decode(b"xx")


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" + bytes(100), b"x" * 5000])
def test_what_is_no_block_says_so(tmp_path: Path, damage: bytes) -> None:
    """A file that is cut short, empty or something else is CorruptData that names it."""
    path = tmp_path / "b.parquet"
    path.write_bytes(damage)
    with pytest.raises(CorruptData, match=r"b\.parquet"):
        Block(path)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=300))
def test_deltas_come_back(values: list[int]) -> None:
    """Any 64-bit integers survive DELTA_BINARY_PACKED, differences that wrap included."""
    decoded, end = pages.decode_deltas(pages.encode_deltas(np.asarray(values, np.int64)))
    assert decoded.tolist() == values
    assert end == len(pages.encode_deltas(np.asarray(values, np.int64)))


@given(st.lists(st.binary(max_size=40), max_size=60))
def test_texts_come_back(values: list[bytes]) -> None:
    """Plain and dictionary pages give back their values."""
    table = TextTable.of(values)
    assert pages.decode_text(pages.encode_text(table)) == _same(table)
    page = pages.encode_dictionary(table)
    assert pages.decode_dictionary(page, np.diff(table.offsets)) == _same(table)
    assert pages.walk_dictionary(page) == values


class _same:
    """Equal to a table with the same bytes and offsets."""

    def __init__(self, table: TextTable) -> None:
        self.table = table

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, TextTable)
        return other.blob == self.table.blob and other.offsets.tolist() == self.table.offsets.tolist()

    __hash__ = None  # type: ignore[assignment]


@given(st.lists(st.integers(0, 10**18 - 1) | st.integers(0, 10**8), min_size=1, max_size=50))
def test_integers_are_parsed_as_python_parses_them(values: list[int]) -> None:
    """Canonical decimals give their value."""
    table = TextTable.of([str(value).encode() for value in values])
    parsed = parse_integers(padded_matrix(table), np.diff(table.offsets))
    assert parsed is not None
    assert parsed.tolist() == values


@pytest.mark.parametrize(
    "text", ["007", "-1", "", "1.5", "1e3", "12345678901234567890", " 1", "１", "1:", "/2", "1\x00"]
)
def test_other_numbers_are_not_integers(text: str) -> None:
    """What str(int) would not give back stays text."""
    table = TextTable.of([b"1", text.encode()])
    assert parse_integers(padded_matrix(table), np.diff(table.offsets)) is None


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("2026-11-23T19:23:08.123Z", True),
        ("2024-02-29T00:00:00.000Z", True),
        ("2023-02-29T00:00:00.000Z", False),
        ("2026-13-01T00:00:00.000Z", False),
        ("2026-11-23T24:00:00.000Z", False),
        ("2026-11-23 19:23:08.123Z", False),
        ("1969-12-31T23:59:59.999Z", False),
    ],
)
def test_timestamps_that_come_back_exactly(text: str, valid: bool) -> None:
    """Only real dates of the one form are stored as times."""
    table = TextTable.of([text.encode()])
    parsed = parse_iso(padded_matrix(table), np.diff(table.offsets))
    assert (parsed is not None) == valid
    if parsed is not None:
        assert str(parsed.view("M8[ms]")[0]) + "Z" == text


@given(st.lists(st.integers(0, 2**43), min_size=1, max_size=40), st.booleans())
def test_timestamps_are_parsed_in_any_order(values: list[int], neighbours: bool) -> None:
    """In one minute, in few, or each in its own."""
    times = np.sort(np.asarray(values) % 200_000) if neighbours else np.asarray(values)
    table = TextTable.of([f"{text}Z".encode() for text in np.datetime_as_string(times.view("M8[ms]")).tolist()])
    parsed = parse_iso(padded_matrix(table), np.diff(table.offsets))
    assert parsed is not None
    assert parsed.tolist() == times.tolist()


@pytest.mark.parametrize(
    "spoiled", ["2026-11-23T19:23:60.123Z", "2026-11-23T19:23:0:.123Z", "2026-11-23T19:23:08.123z"]
)
def test_one_spoiled_time_leaves_all_as_text(spoiled: str) -> None:
    """Also where it shares its minute with the others."""
    table = TextTable.of([b"2026-11-23T19:23:08.123Z", spoiled.encode()])
    assert parse_iso(padded_matrix(table), np.diff(table.offsets)) is None


@given(st.lists(st.text(max_size=30).map(str.encode), min_size=1, max_size=200), st.text(max_size=30).map(str.encode))
def test_bloom_filters_have_no_false_negatives(values: list[bytes], other: bytes) -> None:
    """What was put in may be there."""
    bloom = build_bloom(padded_matrix(TextTable.of(values)))
    for value in [*values[:20], *([other] if other in values else [])]:
        at = bloom_block(hash_value(value), len(bloom))
        assert bloom_may_hold(bloom[at : at + 64], hash_value(value))


@given(st.lists(st.text("ab", max_size=6), max_size=40), st.text("ab", min_size=1, max_size=3))
def test_finding_in_a_table_is_finding_in_each_value(values: list[str], needle: str) -> None:
    """A hit that spans two values is none."""
    table = TextTable.of([value.encode() for value in values])
    assert find_in_table(table, needle.encode()).tolist() == [needle in value for value in values]


@pytest.mark.parametrize("every", [1, 3, 10])
def test_finding_what_is_nearly_everywhere(every: int) -> None:
    """A needle with many thousands of hits, one in each value or in some: the same answer as asking each value."""
    values = [f"user-{i}{'x' * (i % every == 0)}" for i in range(50_000)]
    table = TextTable.of([value.encode() for value in values])
    assert find_in_table(table, b"x").tolist() == ["x" in value for value in values]


@given(
    st.lists(st.text("ab", min_size=9, max_size=9), max_size=40),
    st.sampled_from(["a", "b", "aaaaaaaab", "ab" * 4, "ab" * 5]),
)
def test_finding_among_ids_of_one_length(values: list[str], needle: str) -> None:
    """A needle as long as every value can only be a whole one; shorter and longer ones are looked for as ever."""
    values = [*values, "aaaaaaaab"]
    table = TextTable.of([value.encode() for value in values])
    assert find_in_table(table, needle.encode()).tolist() == [needle in value for value in values]


@given(st.integers(0, 10_000), st.integers(0, 40), st.integers(1, 25))
def test_contains_is_what_the_lines_say(seed: int, start: int, size: int) -> None:
    """Any piece of any line, and that piece spoiled, is found in exactly the lines that hold it."""
    rng = random.Random(seed)
    rows = _ROWS
    lines = rows.lines(np.arange(rows.size))
    line = rng.choice(lines)
    needle = line[start : start + size]
    for text in (needle, needle[::-1], needle + "0"):
        for part in _PARTS:
            answer = contains(part, text.encode())
            mask = np.broadcast_to(np.asarray(answer), part.size).tolist()
            assert mask == [text in candidate for candidate in lines_of(part, np.arange(part.size))]


_ROWS = sample_rows()
_PARTS = shred(_ROWS, np.arange(_ROWS.size), TemplateMemory())


@pytest.mark.parametrize(
    ("line", "slots"),
    [
        ('{"a":1,"b":"x"}', 2),
        ('{"a": {"b": true}, "c": [1, 2]}', 2),
        ("a=1 b=two", 2),
        ('level=info msg="a b" n=1', 3),
        ('{"a":1', None),
        ("[1,2]", None),
        ("plain text", None),
        ("{}", None),
        ('{"a":["x","y"]}', None),
    ],
)
def test_templates(line: str, slots: int | None) -> None:
    """What has a template, and how many slots."""
    template = find_template(line.encode())
    assert (template.slot_count if template else None) == slots


def test_templates_split_most_lines() -> None:
    """The sample's common shapes are shredded, not kept raw."""
    raw = sum(part.size for part in _PARTS if part.template == RAW)
    assert raw < 0.6 * _ROWS.size
