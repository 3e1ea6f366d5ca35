"""Provisioned files on the disk: changes, deletions, broken files, folders; and what people save over them."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spyglass.config.grafana import DashboardProvider
from spyglass.dashboards.library import Library
from spyglass.dashboards.provisioned import scan
from spyglass.dashboards.state import State
from spyglass.dashboards.watcher import ProvisioningWatcher
from spyglass.model.errors import CorruptData, DiskFull
from spyglass.protocols.dashboards import SaveRefused
from spyglass.testing.clock import VirtualClock


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state" / "spyglass.sqlite")
    yield state
    state.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "dashboards"
    folder.mkdir()
    return folder


DEEP = '{"title": "x", "a": ' + "[" * 300 + "]" * 300 + "}"


def put(folder: Path, name: str, **board: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(board))
    return path


def titles(library: Library) -> list[tuple[str, str]]:
    return [(info.folder.title, info.title) for info in library.all()]


def test_folders_from_the_file_structure(state: State, files: Path) -> None:
    """Files in a subfolder go to the folder of its name, those at the top to the provider's."""
    put(files, "a.json", title="Top")
    put(files, "infra/b.json", title="Below")
    put(files, "infra/.hidden/c.json", title="Hidden")
    put(files, "notes.txt", title="No")
    library = Library(state)
    library.replace_provider(scan(DashboardProvider("p", files, folder="F", folders_from_files=True)))
    assert titles(library) == [("F", "Top"), ("infra", "Below")]
    library.replace_provider(scan(DashboardProvider("p", files)))
    assert titles(library) == [("General", "Below"), ("General", "Top")]


def test_changes_are_seen_and_broken_files_keep_their_last_good_version(state: State, files: Path) -> None:
    """What broke is still shown, with the reason; repaired it is new; gone it is gone."""
    provider, library = DashboardProvider("p", files), Library(state)
    path = put(files, "a.json", uid="a", title="One")
    before = scan(provider)
    library.replace_provider(before)
    path.write_text('{"title": "Two", ')
    broken = scan(provider, before)
    library.replace_provider(broken)
    assert titles(library) == [("General", "One")]
    (problem,) = library.problems()
    assert problem[0] == str(path)
    assert "is not JSON" in problem[1]
    assert "line 1" in problem[1]
    assert library.all()[0].problem
    put(files, "a.json", uid="a", title="Three")
    fixed = scan(provider, broken)
    library.replace_provider(fixed)
    assert (titles(library), library.problems()) == ([("General", "Three")], [])
    path.unlink()
    library.replace_provider(scan(provider, fixed))
    assert titles(library) == []


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"title": ""}', "\x00", '{"title": 3}', "nul", "[" * 100_000, DEEP]
)
def test_what_is_no_dashboard_is_reported(state: State, files: Path, content: str) -> None:
    """And costs the others nothing."""
    (files / "bad.json").write_text(content)
    put(files, "good.json", title="Good")
    library = Library(state)
    library.replace_provider(scan(DashboardProvider("p", files)))
    assert titles(library) == [("General", "Good")]
    assert [Path(path).name for path, _ in library.problems()] == ["bad.json"]


def test_a_uid_is_used_once(state: State, files: Path) -> None:
    """The first file has it, the second is reported."""
    put(files, "a.json", uid="x", title="A")
    put(files, "b.json", uid="x", title="B")
    library = Library(state)
    library.replace_provider(scan(DashboardProvider("p", files)))
    assert titles(library) == [("General", "A")]
    assert "already" in library.problems()[0][1]


def test_missing_folder_and_link_cycles(state: State, files: Path) -> None:
    """A folder that is not there is a problem; a link to its own parent is walked once."""
    put(files, "a.json", title="A")
    os.symlink(files, files / "again")
    library = Library(state)
    library.replace_provider(scan(DashboardProvider("p", files)))
    library.replace_provider(scan(DashboardProvider("q", files / "none")))
    assert titles(library) == [("General", "A")]
    assert "there is no such folder" in library.problems()[0][1]


def test_addresses_last_over_restarts(tmp_path: Path, files: Path) -> None:
    """A file without a uid keeps its address and number."""
    put(files, "a.json", title="A")
    seen = []
    for _ in range(2):
        state = State(tmp_path / "state.sqlite")
        library = Library(state)
        library.replace_provider(scan(DashboardProvider("p", files, folder="F")))
        info = library.all()[0]
        seen.append((info.uid, info.id, info.folder.uid, info.folder.id))
        state.close()
    assert seen[0] == seen[1]


def test_a_saved_copy_is_shown_until_the_file_changes(state: State, files: Path) -> None:
    """allowUiUpdates: people's changes stay as long as the file has what they were made on."""
    provider, library = DashboardProvider("p", files, allow_ui_updates=True), Library(state)
    put(files, "a.json", uid="a", title="File", version=4)
    first = scan(provider)
    library.replace_provider(first)
    library.save({"uid": "a", "title": "Mine", "version": 4}, by="me")
    assert (library.all()[0].title, library.all()[0].version) == ("Mine", 5)
    again = Library(state)
    again.replace_provider(first)
    assert again.all()[0].title == "Mine"
    put(files, "a.json", uid="a", title="File 2", version=4)
    again.replace_provider(scan(provider, first))
    assert again.all()[0].title == "File 2"
    assert [entry.original["title"] for entry in again.versions("a")] == ["Mine"]


def test_disable_deletion_keeps_what_lost_its_file(state: State, files: Path) -> None:
    """It lives on as a saved dashboard that people may delete."""
    provider, library = DashboardProvider("p", files, disable_deletion=True), Library(state)
    path = put(files, "a.json", uid="a", title="A")
    first = scan(provider)
    library.replace_provider(first)
    path.unlink()
    library.replace_provider(scan(provider, first))
    (info,) = library.all()
    assert (info.title, info.provisioned) == ("A", False)
    library.delete("a")
    assert library.all() == []


def test_folders_are_made_renamed_and_removed(state: State, files: Path) -> None:
    """With the dashboards in them; provisioned ones are not touched."""
    library = Library(state)
    folder = library.save_folder("Mine", uid="m")
    library.save({"title": "A", "uid": "a"}, folder_uid="m")
    with pytest.raises(SaveRefused):
        library.save_folder("mine")
    assert library.rename_folder("m", "Yours", version=folder.version).title == "Yours"
    with pytest.raises(SaveRefused):
        library.rename_folder("m", "Theirs", version=folder.version)
    library.delete_folder("m")
    assert (library.all(), library.folders()) == ([], [])
    put(files, "a.json", title="A")
    library.replace_provider(scan(DashboardProvider("p", files, folder="Files", folder_uid="f")))
    with pytest.raises(SaveRefused):
        library.delete_folder("f")


def test_files_are_shown_on_a_full_disk(state: State, files: Path) -> None:
    """Nothing can be saved, everything can be seen."""
    state.read(f"PRAGMA max_page_count = {state.read('PRAGMA page_count')[0][0]}")
    for number in range(300):
        put(files, f"{number}.json", uid=f"u{number}", title=f"T{number}")
    library = Library(state)
    library.replace_provider(scan(DashboardProvider("p", files)))
    assert len({info.id for info in library.all()}) == 300
    with pytest.raises(DiskFull):
        library.save({"title": "x", "text": os.urandom(100_000).hex()})
    assert len(library.all()) == 300


def test_history_is_bounded(state: State) -> None:
    """Twenty versions are kept."""
    library = Library(state)
    for _ in range(25):
        library.save({"uid": "a", "title": "A"}, overwrite=True)
    versions = [entry.version for entry in library.versions("a")]
    assert versions == list(range(25, 5, -1))


async def test_the_watcher_looks_every_interval(state: State, files: Path) -> None:
    """New and changed files are there one interval later, for every provider; a reload takes new providers at once."""
    clock, library = VirtualClock(), Library(state)
    watcher = ProvisioningWatcher(library, [DashboardProvider("p", files, update_interval_seconds=10)], clock=clock)
    put(files, "a.json", title="A")
    watcher.load()
    assert titles(library) == [("General", "A")]
    task = asyncio.create_task(watcher.run())
    await until(lambda: clock.sleepers > 0)
    put(files, "b.json", title="B")
    clock.advance(9)
    assert titles(library) == [("General", "A")]
    clock.advance(1)
    await until(lambda: len(titles(library)) == 2)
    watcher.replace([])
    await until(lambda: not titles(library))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(condition: Callable[[], bool]) -> None:
    """Let the watcher's threads work until the condition holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in a thread
            await asyncio.sleep(0)


def test_a_damaged_state_file_says_so(tmp_path: Path) -> None:
    """With the file's name and what to do."""
    path = tmp_path / "spyglass.sqlite"
    path.write_bytes(b"this is no database, but long enough to be read as one" * 40)
    with pytest.raises(CorruptData, match="move it away"):
        State(path)
