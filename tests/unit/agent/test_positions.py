"""Positions: Promtail's file, the state beside it, and what is believed after which accident."""

from pathlib import Path

import pytest
import yaml

from spyglass.agent.positions import GONE, Parcel, Position, Positions, cursor_key, retired_key, retired_of
from spyglass.model.errors import ConfigError

HERE = Position(10, 1, 2, 4, 99)
FURTHER = Position(20, 1, 2, 4, 99)
PARCEL = Parcel("0:http://loki", "tenant", b"\x00body\n", 3, 30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "positions.yaml"


def reopened(file: Path) -> Positions:
    positions = Positions(file)
    positions.load()
    return positions


def test_settled_positions_come_back(file: Path) -> None:
    """With the identity of their files; positions.yaml is Promtail's."""
    positions = reopened(file)
    positions.advance({"/a.log": HERE, cursor_key("c"): Position(1_500_000_000)})
    positions.settle()
    assert yaml.safe_load(file.read_text()) == {"positions": {"/a.log": "10", "cursor-c": "1"}}
    again = reopened(file)
    assert again.items() == [("/a.log", HERE), ("cursor-c", Position(1_500_000_000))]
    assert again.unsent == ()


def test_what_was_about_to_be_sent_comes_back(file: Path) -> None:
    """A crash after `prepare` gives the same bytes and the positions behind them."""
    positions = reopened(file)
    positions.advance({"/a.log": HERE})
    positions.settle()
    positions.prepare({"/a.log": FURTHER}, [PARCEL, PARCEL])
    again = reopened(file)
    assert again.get("/a.log") == FURTHER
    assert again.unsent == (PARCEL, PARCEL)
    again.settle()
    assert reopened(file).unsent == ()


def test_a_crash_between_the_two_files(file: Path) -> None:
    """The state is written first and believed with the positions.yaml of before."""
    positions = reopened(file)
    positions.advance({"/a.log": HERE})
    positions.settle()
    before = file.read_bytes()
    positions.advance({"/a.log": FURTHER})
    positions.settle()
    file.write_bytes(before)
    assert reopened(file).get("/a.log") == FURTHER


def test_promtail_or_an_operator_wrote_after_us(file: Path) -> None:
    """Then positions.yaml is right; the identity stays where the offset is the same."""
    positions = reopened(file)
    positions.advance({"/a.log": HERE, "/b.log": HERE})
    positions.settle()
    file.write_text("positions:\n  /a.log: '7'\n  /b.log: '10'\n")
    assert reopened(file).items() == [("/a.log", Position(7)), ("/b.log", HERE)]


def test_without_positions_everything_is_read(file: Path) -> None:
    """Removing positions.yaml removes what the state knows, unsent bodies too."""
    positions = reopened(file)
    positions.settle()
    positions.prepare({"/a.log": HERE}, [PARCEL])
    file.unlink()
    again = reopened(file)
    assert (again.items(), again.unsent) == ([], ())


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"spyglass-agent 1 5 5\nx", b"spyglass-agent 1 x y\n"])
def test_a_damaged_state_counts_as_none(file: Path, damage: bytes) -> None:
    """positions.yaml alone is believed then."""
    positions = reopened(file)
    positions.advance({"/a.log": HERE})
    positions.settle()
    positions.state_file.write_bytes(damage)
    assert reopened(file).items() == [("/a.log", Position(10))]


def test_a_positions_file_that_is_none(file: Path) -> None:
    """An error with the file's name, or ignored where the configuration says so."""
    file.parent.mkdir()
    file.write_text("positions: [1, 2]")
    with pytest.raises(ConfigError, match="is no positions file"):
        reopened(file)
    lenient = Positions(file, ignore_invalid=True)
    lenient.load()
    assert lenient.items() == []


def test_renamed_files_are_in_the_state_only(file: Path) -> None:
    """And are forgotten when they were read to their ends."""
    positions = reopened(file)
    positions.advance({"/a.log": HERE, retired_key("/a.log", 7): FURTHER})
    positions.settle()
    assert yaml.safe_load(file.read_text()) == {"positions": {"/a.log": "10"}}
    again = reopened(file)
    assert retired_of(again, "/a.log") == [(retired_key("/a.log", 7), FURTHER)]
    again.advance({retired_key("/a.log", 7): GONE})
    again.settle()
    assert retired_of(reopened(file), "/a.log") == []
