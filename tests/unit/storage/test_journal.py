"""The journal: order, durability, positions, damage."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.errors import StorageError, Unavailable
from spyglass.storage.files import RealFiles
from spyglass.storage.journal import Journal, JournalOptions
from spyglass.storage.journal_segment import HEADER_BYTES, RECORD_OVERHEAD_BYTES

SMALL = JournalOptions(segment_bytes=200, sync_interval_s=60)


def open_journal(folder: Path, options: JournalOptions = SMALL) -> Journal:
    return Journal(folder, files=RealFiles(), options=options)


def payloads(journal: Journal, start: int = 0) -> list[bytes]:
    return [payload for _, payload in journal.replay(start)]


def test_records_come_back_in_order_over_segments_and_reopening(tmp_path: Path) -> None:
    """What was appended is replayed in order, however many segments it took, also by the next process."""
    journal = open_journal(tmp_path)
    expected = [b"%d" % n * n for n in range(40)]
    positions = [journal.append(payload) for payload in expected]
    assert list(journal.replay()) == list(zip(positions, expected, strict=True))
    journal.close()
    again = open_journal(tmp_path)
    assert list(again.replay()) == list(zip(positions, expected, strict=True))
    assert again.recovery.notes == []
    assert len(list(tmp_path.glob("*.journal"))) > 3
    again.close()


def test_replay_starts_after_the_given_position(tmp_path: Path) -> None:
    """A position that append returned is where a later replay goes on."""
    journal = open_journal(tmp_path)
    positions = [journal.append(b"a" * 50, bytes([n])) for n in range(10)]
    for n, position in enumerate(positions):
        assert [p[-1] for p in payloads(journal, position)] == list(range(n + 1, 10))
    journal.close()


def test_truncate_before_gives_whole_segments_back(tmp_path: Path) -> None:
    """Only segments that lie before the position go; positions stay valid."""
    journal = open_journal(tmp_path)
    positions = [journal.append(b"x" * 50) for _ in range(20)]
    before = journal.size_bytes()
    journal.truncate_before(positions[10])
    assert journal.size_bytes() < before
    assert len(payloads(journal, positions[10])) == 9
    end = journal.end
    journal.close()
    again = open_journal(tmp_path)
    assert again.end == end
    assert again.append(b"y") > end
    assert payloads(again, end) == [b"y"]
    again.close()


def test_roll_lets_everything_before_go(tmp_path: Path) -> None:
    """After a roll the records before it can be given back at once."""
    journal = open_journal(tmp_path)
    journal.append(b"old")
    end = journal.roll()
    journal.truncate_before(end)
    assert payloads(journal) == []
    journal.append(b"new")
    assert payloads(journal) == [b"new"]
    journal.close()


@pytest.mark.parametrize("cut", range(1, RECORD_OVERHEAD_BYTES + 4))
def test_a_torn_tail_is_cut_off_and_counted(tmp_path: Path, cut: int) -> None:
    """A last record that was written in part is dropped, told, and the journal goes on."""
    journal = open_journal(tmp_path)
    journal.append(b"whole")
    journal.append(b"torn")
    journal.close()
    segment = next(tmp_path.glob("*.journal"))
    segment.write_bytes(segment.read_bytes()[:-cut])
    again = open_journal(tmp_path)
    assert payloads(again) == [b"whole"]
    assert again.recovery.torn_bytes == RECORD_OVERHEAD_BYTES + 4 - cut
    again.append(b"next")
    assert payloads(again) == [b"whole", b"next"]
    again.close()


def test_a_flipped_bit_anywhere_costs_at_most_the_record_it_is_in(tmp_path: Path) -> None:
    """For every byte of a segment: the other records are served, and the damage is set aside and named."""
    options = JournalOptions(sync_interval_s=60)
    journal = open_journal(tmp_path, options)
    expected = [b"first", b"second", b"third"]
    ends = [journal.append(payload) for payload in expected]
    journal.close()
    segment = next(tmp_path.glob("*.journal"))
    good = segment.read_bytes()
    for offset in range(len(good)):
        bad = bytearray(good)
        bad[offset] ^= 1 << offset % 8
        segment.write_bytes(bad)
        again = open_journal(tmp_path, options)
        hit = sum(offset >= end for end in ends) if offset >= HEADER_BYTES else -1
        assert payloads(again) == [p for n, p in enumerate(expected) if n != hit]
        assert again.recovery.corruptions + bool(again.recovery.torn_bytes) == 1
        assert str(segment) in again.recovery.notes[0]
        again.close()


def test_a_segment_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """A file that a newer program wrote is not guessed at."""
    journal = open_journal(tmp_path)
    journal.append(b"x")
    journal.close()
    segment = next(tmp_path.glob("*.journal"))
    from_future = bytearray(segment.read_bytes())
    from_future[8] = 9
    import zlib  # noqa: PLC0415  only this test computes checksums

    from_future[24:28] = zlib.crc32(bytes(from_future[:24])).to_bytes(4, "little")
    segment.write_bytes(from_future)
    with pytest.raises(StorageError, match="version 9"):
        open_journal(tmp_path)


def test_concurrent_appends_are_all_durable_and_whole(tmp_path: Path) -> None:
    """Threads that append and wait for the disk at once lose nothing and interleave whole records."""
    journal = open_journal(tmp_path, JournalOptions(segment_bytes=4000, sync_interval_s=60))

    def work(name: int) -> None:
        for n in range(30):
            journal.sync_to(journal.append(b"%d:%d" % (name, n)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.synced == journal.end
    got = payloads(journal)
    assert sorted(got) == sorted(b"%d:%d" % (a, b) for a in range(6) for b in range(30))
    for name in range(6):
        own = [p for p in got if p.startswith(b"%d:" % name)]
        assert own == [b"%d:%d" % (name, n) for n in range(30)]
    journal.close()


def test_what_nobody_waits_for_is_synced_in_the_background(tmp_path: Path) -> None:
    """An append without sync_to reaches the disk within the interval."""
    journal = open_journal(tmp_path, JournalOptions(sync_interval_s=0.01))
    position = journal.append(b"x")
    deadline = threading.Event()
    for _ in range(500):
        if journal.synced >= position:
            break
        deadline.wait(0.01)
    assert journal.synced >= position
    journal.close()


def test_a_closed_journal_refuses(tmp_path: Path) -> None:
    """Closing twice is fine; appending afterwards is Unavailable."""
    journal = open_journal(tmp_path)
    journal.close()
    journal.close()
    with pytest.raises(Unavailable):
        journal.append(b"x")


@settings(max_examples=30)
@given(records=st.lists(st.binary(max_size=300), max_size=20), cut=st.integers(0, 400))
def test_any_cut_keeps_a_prefix(tmp_path_factory: pytest.TempPathFactory, records: list[bytes], cut: int) -> None:
    """Whatever is cut off the end of the last segment, the records before it are served."""
    folder = tmp_path_factory.mktemp("journal")
    options = JournalOptions(sync_interval_s=60)
    journal = open_journal(folder, options)
    for record in records:
        journal.append(record)
    journal.close()
    for segment in folder.glob("*.journal"):
        data = segment.read_bytes()
        segment.write_bytes(data[: max(0, len(data) - cut)])
    again = open_journal(folder, options)
    got = payloads(again)
    assert got == records[: len(got)]
    lost = sum(len(record) + RECORD_OVERHEAD_BYTES for record in records[len(got) :])
    assert lost < cut + RECORD_OVERHEAD_BYTES + 301
    again.close()
