"""What the log store does by itself: cutting blocks, merging, retaining, deleting, and living with faults."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from spyglass.model.errors import DiskFull, InvalidParameter, NotFound, StorageError, StoreLocked
from spyglass.model.labels import Labels
from spyglass.protocols.log_store import LogEntry
from spyglass.query.logql.parser import parse_log
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import SECOND_NS, LogStoreOptions, StreamRetention
from spyglass.storage.logs.store import DiskLogStore
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores
from spyglass.testing.clock import VirtualClock
from spyglass.testing.faulty_files import FaultyFiles
from spyglass.testing.log_store_suite import APP, SECOND, T0, WORKER, entry, matchers, read, stream

Open = Callable[..., DiskLogStores]
NOW = T0 + 10_000 * SECOND
TIGHT = LogStoreOptions(min_free_bytes=0, hot_rows=100, block_rows=100_000)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles(RealFiles())


@pytest.fixture
def opened(tmp_path: Path, files: FaultyFiles, clock: VirtualClock) -> Iterator[Open]:
    """Opens the one folder, closing what was open before."""
    current: list[DiskLogStores] = []

    def reopen(options: LogStoreOptions = TIGHT) -> DiskLogStores:
        if current:
            current.pop().close()
        current.append(open_log_stores(tmp_path / "logs", files=files, clock=clock, options=options))
        return current[0]

    yield reopen
    if current:
        current.pop().close()


def numbered(first: int, size: int) -> list[LogEntry]:
    return [entry(number, f'{{"number":{number},"level":"info"}}') for number in range(first, first + size)]


def write(store: DiskLogStore, batches: int, size: int = 100) -> None:
    for number in range(batches):
        store.append([(APP, numbered(number * size, size))])


def write_blocks(store: DiskLogStore, batches: int) -> None:
    """Each batch fills a hot part and is a block on return."""
    write(store, batches)
    store.flush()


def count(store: DiskLogStore) -> int:
    return len(read(store))


def test_a_full_hot_part_becomes_a_block(opened: Open) -> None:
    """Each hot part that was filled is a block by itself, and the journal gives its space back."""
    store = opened().store()
    write_blocks(store, 3)
    assert len(store.blocks.all) == 3
    assert store.stats().log_bytes < 200
    assert count(store) == 300


def test_an_old_hot_part_becomes_a_block(opened: Open, clock: VirtualClock) -> None:
    """Maintenance cuts a block when the oldest line has waited long enough."""
    stores = opened(LogStoreOptions(min_free_bytes=0, hot_age_ns=60 * SECOND_NS))
    store = stores.store()
    store.append([(APP, [entry(1, "x")])])
    stores.maintain(clock.now_ns())
    assert store.blocks.all == ()
    clock.advance(61)
    stores.maintain(clock.now_ns())
    assert len(store.blocks.all) == 1


def test_blocks_are_joined_eight_by_eight(opened: Open) -> None:
    """Full-sized blocks are joined by copying; nothing is lost, and the files they were made of are gone."""
    stores = opened()
    write_blocks(stores.store(), 20)
    stores.maintain(NOW)
    store = stores.store()
    assert len(store.blocks.all) == 6
    assert sum(block.part_count for block in store.blocks.all) == 20
    assert len(list((store.blocks.all[0].path.parent).glob("*.parquet"))) == 6
    assert count(store) == 2000


def test_small_blocks_are_written_anew(opened: Open) -> None:
    """Blocks of few lines become one part with one dictionary."""
    stores = opened()
    for number in range(8):
        stores.store().append([(APP, numbered(number * 10, 10))])
        stores.store().flush()
    stores.maintain(NOW)
    (block,) = stores.store().blocks.all
    assert (block.part_count, block.rows) == (1, 80)
    assert count(stores.store()) == 80


def test_a_crash_after_joining_doubles_nothing(opened: Open) -> None:
    """A joined block and the ones it replaces both on disk: on opening the replaced ones go."""
    stores = opened()
    write_blocks(stores.store(), 8)
    kept = {block.path: block.path.read_bytes() for block in stores.store().blocks.all}
    stores.maintain(NOW)
    stores.close()
    for path, data in kept.items():
        path.write_bytes(data)
    store = opened().store()
    assert len(store.blocks.all) == 1
    assert count(store) == 800


def test_a_crash_between_block_and_journal_doubles_nothing(opened: Open, tmp_path: Path) -> None:
    """The journal still holds what a published block has: it is not read again."""
    stores = opened(LogStoreOptions(min_free_bytes=0))
    store = stores.store()
    write(store, 2)
    journal = next((tmp_path / "logs" / "fake" / "journal").glob("*.journal"))
    before = journal.read_bytes()
    store.flush()
    write_later = numbered(1000, 5)
    store.append([(APP, write_later)])
    stores.close()
    journal.write_bytes(before)
    store = opened().store()
    assert count(store) == 205


def test_retention_drops_old_blocks(opened: Open) -> None:
    """Blocks whose lines are all older than the period go."""
    stores = opened(LogStoreOptions(min_free_bytes=0, hot_rows=100, retention_ns=500 * SECOND))
    write_blocks(stores.store(), 10)
    stores.maintain(T0 + 1000 * SECOND)
    assert min(time for time, _, _, _ in read(stores.store())) == T0 + 500 * SECOND


def test_retention_by_stream(opened: Open) -> None:
    """A rule for a stream wins over the general period, the higher priority over the lower."""
    rules = (
        StreamRetention(tuple(matchers("app=worker")), 100 * SECOND, 1),
        StreamRetention(tuple(matchers("env=prod app=worker host=keep")), 0, 2),
    )
    stores = opened(LogStoreOptions(min_free_bytes=0, retention_ns=5000 * SECOND, retention_streams=rules))
    keep = stream(app="worker", env="prod", host="keep")
    store = stores.store()
    store.append([(APP, [entry(1, "a")]), (WORKER, [entry(1, "w")]), (keep, [entry(1, "k")])])
    store.flush()
    stores.maintain(T0 + 1000 * SECOND)
    assert [line for _, _, line, _ in read(store)] == ["a", "k"]
    stores.maintain(T0 + 6000 * SECOND)
    assert [line for _, _, line, _ in read(store)] == ["k"]


def test_a_size_limit_drops_the_oldest(opened: Open) -> None:
    """Above the limit the oldest blocks go, until it holds."""
    stores = opened(LogStoreOptions(min_free_bytes=0, hot_rows=100, max_bytes=12_000))
    write_blocks(stores.store(), 20)
    stores.maintain(NOW)
    store = stores.store()
    assert 0 < store.blocks.disk_bytes <= 12_000
    assert read(store)[-1][0] == T0 + 1999 * SECOND


def test_dropping_everything_does_not_bring_the_journal_back(opened: Open) -> None:
    """After retention took the newest block too, a restart stays empty and numbers go on."""
    options = LogStoreOptions(min_free_bytes=0, hot_rows=100, retention_ns=SECOND)
    stores = opened(options)
    write_blocks(stores.store(), 2)
    stores.maintain(NOW)
    assert count(stores.store()) == 0
    store = opened(options).store()
    assert count(store) == 0
    store.append([(APP, [entry(1, "x")])])
    assert count(store) == 1


def test_a_full_disk_refuses_whole_batches(opened: Open, files: FaultyFiles) -> None:
    """DiskFull stores nothing; what was there is readable; when there is space again, appends go on."""
    store = opened(LogStoreOptions(min_free_bytes=0)).store()
    store.append([(APP, numbered(0, 10))])
    files.space_bytes = 100
    with pytest.raises(DiskFull):
        store.append([(APP, numbered(10, 10))])
    assert count(store) == 10
    files.space_bytes = None
    assert store.append([(APP, numbered(10, 10))]) == 10
    assert count(opened().store()) == 20


def test_the_free_space_floor(opened: Open, files: FaultyFiles, clock: VirtualClock) -> None:
    """Below the floor appends are refused, with what to do; above it they go on by themselves."""
    store = opened(LogStoreOptions(min_free_bytes=1_000_000)).store()
    files.space_bytes = 500_000
    with pytest.raises(DiskFull, match="free"):
        store.append([(APP, numbered(0, 10))])
    files.space_bytes = 2_000_000
    clock.advance(2)
    assert store.append([(APP, numbered(0, 10))]) == 10


def test_a_block_that_does_not_fit_keeps_the_lines_hot(opened: Open, files: FaultyFiles) -> None:
    """A full disk while cutting a block loses nothing; the next round tries again."""
    store = opened(LogStoreOptions(min_free_bytes=0)).store()
    write(store, 2)
    files.space_bytes = 50
    with pytest.raises(DiskFull):
        store.flush()
    assert count(store) == 200
    files.space_bytes = None
    store.flush()
    assert count(opened().store()) == 200


def test_a_torn_journal_tail_is_cut_off(opened: Open, tmp_path: Path) -> None:
    """Half a record at the end of the journal goes; everything before it stays."""
    store = opened(LogStoreOptions(min_free_bytes=0)).store()
    store.append([(APP, numbered(0, 10))])
    store.append([(APP, numbered(10, 10))])
    journal = next((tmp_path / "logs" / "fake" / "journal").glob("*.journal"))
    opened().close()
    journal.write_bytes(journal.read_bytes()[:-7])
    assert count(opened().store()) == 10


def test_a_damaged_index_sets_the_block_aside(opened: Open) -> None:
    """A block that is no block any more is moved away and named; the others serve."""
    stores = opened()
    write_blocks(stores.store(), 3)
    path = stores.store().blocks.all[1].path
    stores.close()
    path.write_bytes(path.read_bytes()[:-200])
    store = opened().store()
    assert count(store) == 200
    assert store.stats().corruptions == 1
    assert any(path.name in note for note in store.stats().notes)
    assert (path.parent / "corrupt" / path.name).exists()


def test_damage_found_while_reading_sets_the_block_aside(opened: Open) -> None:
    """A column whose checksum does not hold: the block goes, the query answers from the rest."""
    stores = opened()
    write_blocks(stores.store(), 3)
    block = stores.store().blocks.all[1]
    start = block.entries()[0].sections[0][0]
    stores.close()
    data = bytearray(block.path.read_bytes())
    for at in range(start, start + 400):
        data[at] ^= 0x55
    block.path.write_bytes(bytes(data))
    store = opened().store()
    assert count(store) == 200
    assert count(store) == 200
    assert store.stats().corruptions == 1


def test_replay_is_done_in_slices(opened: Open) -> None:
    """A journal that holds more than a hot part becomes blocks while it is read."""
    stores = opened(LogStoreOptions(min_free_bytes=0))
    for number in range(2100):
        stores.store().append([(APP, numbered(number, 1))], durable=False)
    assert stores.store().blocks.all == ()
    store = opened(TIGHT).store()
    assert len(store.blocks.all) == 3
    assert count(store) == 2100
    assert count(opened(TIGHT).store()) == 2100


def test_tenants_are_apart(opened: Open, tmp_path: Path) -> None:
    """Each tenant has its own lines, whatever its name; unknown ones are NotFound unless made."""
    stores = opened()
    stores.store("../evil").append([(APP, [entry(1, "e")])])
    stores.store("team-a").append([(APP, [entry(1, "a")])])
    assert [path.name for path in sorted((tmp_path / "logs").iterdir()) if path.is_dir()] == ["%2E%2E%2Fevil", "team-a"]
    stores = opened()
    assert stores.tenants() == ["../evil", "team-a"]
    assert [line for _, _, line, _ in read(stores.store("../evil"))] == ["e"]
    with pytest.raises(NotFound):
        stores.store("nobody", create=False)


def test_one_process_owns_the_folder(opened: Open, tmp_path: Path) -> None:
    """A second store on the same folder is refused."""
    opened()
    with pytest.raises(StoreLocked):
        open_log_stores(tmp_path / "logs", files=RealFiles(), clock=VirtualClock(), options=TIGHT)


def test_label_churn_does_not_grow_memory(opened: Open) -> None:
    """Streams that come and go stay on disk: what is remembered of them is bounded."""
    stores = opened()
    store = stores.store()
    for number in range(40):
        store.append([(stream(app="a", pod=f"pod-{number}-{i}"), [entry(number, "x")]) for i in range(100)])
    stores.maintain(NOW)
    assert store.series([matchers("pod=pod-7-13")], start_ns=0, end_ns=2**62).size == 1
    assert len(store.label_values("pod", [], start_ns=0, end_ns=2**62)) == 4000


def test_a_failed_sync_is_told(opened: Open, files: FaultyFiles) -> None:
    """An append whose sync fails is not acknowledged."""
    store = opened().store()
    files.fail_syncs = True
    with pytest.raises(StorageError):
        store.append([(APP, [entry(1, "x")])])
    files.fail_syncs = False


@pytest.mark.parametrize(
    ("pipeline", "left"),
    [
        ('|= "number\\":1"', 90),
        ('|~ "number..1[0-9],"', 91),
        ("| json | number > 89", 91),
        ('| json | level="info"', 1),
        ('| json | level="warn"', 101),
        ('|= "plain" | json | number > 1', 101),
        ('|> "<_>:99,<_>"', 100),
    ],
)
def test_deletes_with_filters(opened: Open, pipeline: str, left: int) -> None:
    """A delete request may choose lines by filters; the rest stays, before and after a restart."""
    store = opened().store()
    store.append([(APP, [*numbered(0, 100), entry(200, "plain")])])
    log = parse_log(f'{{app="web"}} {pipeline}')
    store.delete(log.matchers, log.stages, start_ns=T0, end_ns=NOW)
    assert count(store) == left
    assert count(opened().store()) == left


def test_deletes_with_formats_are_refused(opened: Open) -> None:
    """What changes lines or labels cannot choose them."""
    log = parse_log('{app="web"} | line_format "x"')
    with pytest.raises(InvalidParameter, match="line filters"):
        opened().store().delete(log.matchers, log.stages, start_ns=T0, end_ns=NOW)


def test_reading_while_everything_moves(opened: Open) -> None:
    """While lines are appended, cut into blocks and merged, every read sees each line once, and never fewer than before."""
    stores = opened()
    store = stores.store()
    done = threading.Event()
    problems: list[str] = []

    def append(labels: Labels) -> None:
        for number in range(60):
            store.append([(labels, numbered(number * 20, 20))], durable=False)

    def upkeep() -> None:
        while not done.is_set():
            stores.maintain(NOW)

    def look() -> None:
        before = 0
        while not done.is_set():
            found = [(stream, line) for _, stream, line, _ in read(store)]
            if len(set(found)) != len(found):
                problems.append("a line was there twice")
            if len(found) < before:
                problems.append(f"{before} lines were there, then {len(found)}")
            before = len(found)

    writers = [threading.Thread(target=append, args=(labels,)) for labels in (APP, WORKER)]
    others = [threading.Thread(target=upkeep), threading.Thread(target=look)]
    for thread in [*writers, *others]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in others:
        thread.join()
    assert problems == []
    assert count(store) == 2400


def test_each_tenant_has_a_retention_of_its_own(tmp_path: Path, files: FaultyFiles, clock: VirtualClock) -> None:
    """Asked for anew in every round, so that it may change while the stores are open."""
    periods = {"short": 100}

    def of_tenant(tenant: str, options: LogStoreOptions) -> LogStoreOptions:
        return replace(options, retention_ns=periods.get(tenant, 0) * SECOND_NS)

    stores = open_log_stores(tmp_path / "logs", files=files, clock=clock, options=TIGHT, of_tenant=of_tenant)
    try:
        for tenant in ("short", "long"):
            stores.store(tenant).append([(APP, numbered(0, 200))])
            stores.store(tenant).flush()
        stores.maintain(NOW)
        assert (count(stores.store("short")), count(stores.store("long"))) == (0, 200)
        periods["long"] = 100
        stores.maintain(NOW)
        assert count(stores.store("long")) == 0
    finally:
        stores.close()
