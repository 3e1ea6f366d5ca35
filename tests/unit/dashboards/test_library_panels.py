"""Library panels: kept in the state file, shown in the place of the panels that point to them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spyglass.dashboards.library import Library
from spyglass.dashboards.library_elements import SqliteLibraryElements, panel_models
from spyglass.dashboards.migrate import migrate
from spyglass.dashboards.migrate.library_panels import FindModel
from spyglass.dashboards.state import State
from spyglass.protocols.library_elements import VARIABLE, ElementChange, ElementFilter, ElementRefused

GAUGE = {"type": "gauge", "title": "CPU", "description": "of all", "targets": [{"refId": "A", "expr": "cpu"}]}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "spyglass.sqlite")
    yield state
    state.close()


@pytest.fixture
def elements(state: State) -> SqliteLibraryElements:
    return SqliteLibraryElements(state, now_ms=lambda: 5_000)


def pointing(uid: str, **rest: Any) -> dict[str, Any]:
    place = {"x": 3, "y": 4, "w": 5, "h": 6}
    return {"title": "D", "panels": [{"id": 7, "gridPos": place, "libraryPanel": {"uid": uid, "name": "n"}, **rest}]}


def having(**models: dict[str, Any]) -> FindModel:
    return lambda uid: models.get(uid)


def test_the_librarys_model_takes_the_panels_place() -> None:
    """Id, place and the reference stay the dashboard's; everything else is the library's."""
    panel = migrate(pointing("x", title="old", type="stat"), library_panel=having(x=GAUGE))["panels"][0]
    assert (panel["type"], panel["title"], panel["id"], panel["gridPos"]["x"]) == ("gauge", "CPU", 7, 3)
    assert panel["libraryPanel"] == {"uid": "x", "name": "n"}
    assert panel["targets"][0]["expr"] == "cpu"


def test_the_library_wins_over_what_came_along() -> None:
    """`__elements` are shown where the library has nothing."""
    own = {"x": {"name": "n", "model": {"type": "text", "title": "along"}}}
    assert migrate({**pointing("x"), "__elements": own}, library_panel=having(x=GAUGE))["panels"][0]["type"] == "gauge"
    assert migrate({**pointing("x"), "__elements": own}, library_panel=having())["panels"][0]["type"] == "text"


def test_panels_in_collapsed_rows_and_repeats() -> None:
    """A library panel inside a row is found, and repeats as its place says."""
    inner = pointing("x", repeat="host")["panels"]
    row = {"type": "row", "title": "R", "collapsed": True, "panels": inner}
    panel = migrate({"title": "D", "panels": [row]}, library_panel=having(x=GAUGE))["panels"][0]["panels"][0]
    assert (panel["type"], panel["repeat"]) == ("gauge", "host")


def test_a_missing_one_says_which() -> None:
    """What is found nowhere is a reference, so that the page can name it."""
    panel = migrate(pointing("gone"), library_panel=having())["panels"][0]
    assert (panel["type"], panel["libraryPanel"]["uid"]) == ("library-panel-ref", "gone")


def test_a_change_shows_in_every_dashboard(state: State, elements: SqliteLibraryElements) -> None:
    """Dashboards hold the reference only: they show what the library has now."""
    library = Library(state, library_panel=panel_models(elements))
    made = elements.create("CPU", GAUGE, uid="x")
    uid = library.save(pointing("x")).uid
    elements.change("x", ElementChange(made.version, model={**GAUGE, "title": "CPU 2"}))
    shown = library.get(uid)
    assert shown is not None
    assert shown.model["panels"][0]["title"] == "CPU 2"
    assert "targets" not in shown.original["panels"][0]
    assert library.library_panels(uid) == {"x"}


def test_versions_rise_and_are_checked(elements: SqliteLibraryElements) -> None:
    """Who changes an older version than the newest is refused; what a change does not name stays."""
    elements.create("CPU", GAUGE, uid="x", by="ann")
    changed = elements.change("x", ElementChange(1, name="CPU of all"), by="bob")
    assert (changed.version, changed.name, changed.type, changed.description) == (2, "CPU of all", "gauge", "of all")
    assert (changed.created_by, changed.updated_by) == ("ann", "bob")
    with pytest.raises(ElementRefused) as refused:
        elements.change("x", ElementChange(1, name="again"))
    assert refused.value.reason == "version-mismatch"


def test_names_are_unique_in_a_folder_and_kind(elements: SqliteLibraryElements) -> None:
    """The same name in another folder or kind is another element; a refused change leaves the old one."""
    elements.create("CPU", GAUGE, uid="a")
    elements.create("CPU", GAUGE, uid="b", folder_uid="f")
    variable = elements.create("CPU", {"type": "query", "name": "old"}, kind=VARIABLE, uid="c")
    assert variable.model["name"] == "CPU"
    with pytest.raises(ElementRefused, match="already exists"):
        elements.create("CPU", GAUGE)
    with pytest.raises(ElementRefused, match="already exists"):
        elements.change("b", ElementChange(1, folder_uid=""))
    kept = elements.get("b")
    assert kept is not None
    assert (kept.folder_uid, kept.version) == ("f", 1)
    assert [one.uid for one in elements.named("CPU")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": " "}, "needs a name"),
        ({"uid": "a/b"}, "illegal"),
        ({"uid": "x" * 41}, "too long"),
        ({"kind": 3}, "kind is"),
    ],
)
def test_what_is_no_element(elements: SqliteLibraryElements, given: dict[str, Any], message: str) -> None:
    """Refused with words, and nothing is kept."""
    with pytest.raises(ElementRefused, match=message):
        elements.create(**{"name": "n", "model": GAUGE, **given})
    assert elements.find(ElementFilter()) == ([], 0)


def test_finding(elements: SqliteLibraryElements) -> None:
    """By text, kind, type, folder; in pages by name, either way."""
    for name, kind, folder in (("b", "stat", ""), ("A", "gauge", ""), ("c", "stat", "f")):
        elements.create(name, {"type": kind, "description": f"about {name}"}, folder_uid=folder, uid=f"u{name}")

    def names(**wanted: Any) -> list[str]:
        return [one.name for one in elements.find(ElementFilter(**wanted))[0]]

    assert names() == ["A", "b", "c"]
    assert names(descending=True) == ["c", "b", "A"]
    assert names(text="ABOUT B") == ["b"]
    assert names(types=["stat"], folder_uids=[""]) == ["b"]
    assert names(folder_uids=[]) == []
    assert names(exclude_uid="ub", kind=1) == ["A", "c"]
    found, total = elements.find(ElementFilter(page=2, per_page=2))
    assert ([one.name for one in found], total) == (["c"], 3)
