"""Reading whole lines of one file."""

from pathlib import Path

import pytest

from spyglass.agent.positions import Position
from spyglass.agent.targets import tail as module
from spyglass.agent.targets.tail import READ_BYTES, Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


def read_all(tail: Tail) -> list[str]:
    texts: list[str] = []
    while tail.look():
        lines = tail.read()
        if not lines.texts:
            break
        texts.extend(lines.texts)
    return texts


def test_lines_and_where_they_begin(path: Path) -> None:
    """Offsets are of bytes; empty lines, carriage returns and NUL bytes stay; what is not UTF-8 is replaced."""
    path.write_bytes("é\n\nb\r\n\0\n".encode() + b"\xff\n")
    tail = Tail(str(path), None)
    assert tail.look()
    lines = tail.read()
    assert (lines.texts, lines.starts, lines.next) == (["é", "", "b\r", "\0", "\ufffd"], [0, 3, 4, 7, 9], 11)
    assert not tail.look()
    tail.close()


def test_a_line_longer_than_a_read(path: Path) -> None:
    """It is one line all the same."""
    long = "x" * (READ_BYTES * 3)
    path.write_text(f"a\n{long}\nb\n")
    tail = Tail(str(path), None)
    assert read_all(tail) == ["a", long, "b"]
    tail.close()


def test_a_line_without_end_is_cut(path: Path) -> None:
    """At LINE_BYTES: memory is bounded."""
    path.write_bytes(b"x" * (module.LINE_BYTES + 10))
    tail = Tail(str(path), None)
    assert [len(text) for text in read_all(tail)] == [module.LINE_BYTES]
    assert tail.read(last=True).texts == ["x" * 10]
    tail.close()


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "windows-1252"])
def test_encodings(path: Path, encoding: str) -> None:
    """A newline is one only where a character begins; a byte order mark is no part of the line."""
    text = "čau ☕\nĊ\n" if encoding.startswith("UTF") else "“smart” €\nnext\n"
    path.write_bytes(text.encode(encoding))
    tail = Tail(str(path), None, encoding=encoding)
    assert read_all(tail) == text.split("\n")[:-1]
    tail.close()


def test_resuming(path: Path) -> None:
    """At the offset of the same file; at the start where the file is shorter or begins with something else."""
    path.write_text("one\ntwo\n")
    tail = Tail(str(path), None)
    read_all(tail)
    position = tail.position(4)
    tail.close()
    again = Tail(str(path), position)
    assert read_all(again) == ["two"]
    again.close()
    path.write_text("other content\n")
    changed = Tail(str(path), position)
    assert read_all(changed) == ["other content"]
    changed.close()
    short = Tail(str(path), Position(1000))
    assert short.offset == 0
    short.close()


def test_truncation_and_growth_at_once(path: Path) -> None:
    """The first bytes tell a new file from a longer one."""
    path.write_text("one\n")
    tail = Tail(str(path), None)
    assert read_all(tail) == ["one"]
    path.write_text("two\nthree\n")
    assert read_all(tail) == ["two", "three"]
    tail.close()
