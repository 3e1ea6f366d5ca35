"""People, passwords, sessions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass.dashboards.accounts import SESSION_IDLE_MS, SESSION_LIFE_MS, SqliteAccounts, ensure_admin
from spyglass.dashboards.state import State
from spyglass.model.errors import DiskFull
from spyglass.testing.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def accounts(tmp_path: Path, clock: VirtualClock) -> Iterator[SqliteAccounts]:
    state = State(tmp_path / "s.sqlite")
    yield SqliteAccounts(state, now_ms=clock.now_ms)
    state.close()


def test_first_start_makes_a_password_and_shows_it_once(accounts: SqliteAccounts) -> None:
    """It works, it is long, and a second start has nothing to show."""
    first = ensure_admin(accounts)
    assert len(first.password) > 20
    assert accounts.verify("admin", first.password) is not None
    assert ensure_admin(accounts).password == ""


def test_a_given_password_is_used_and_not_shown(accounts: SqliteAccounts) -> None:
    """GF_SECURITY_ADMIN_PASSWORD."""
    assert ensure_admin(accounts, password="pw").password == ""
    user = accounts.verify("admin", "pw")
    assert user is not None
    assert user.is_admin


def test_the_demo_is_admin_admin(accounts: SqliteAccounts) -> None:
    """And says that it is the demo."""
    assert ensure_admin(accounts, demo=True).demo
    assert accounts.verify("ADMIN", "admin") is not None
    assert accounts.verify("admin", "Admin") is None


def test_a_remembered_password_is_forgotten_when_it_changes(accounts: SqliteAccounts) -> None:
    """The short cut for scripts never outlives the password."""
    ensure_admin(accounts, demo=True)
    user = accounts.verify("admin", "admin")
    assert user is not None
    accounts.set_password(user.id, "other")
    assert accounts.verify("admin", "admin") is None
    assert accounts.verify("admin", "other") is not None


def test_sessions_end(accounts: SqliteAccounts, clock: VirtualClock) -> None:
    """After a week without use, after a month in any case, and at logout."""
    user = accounts.add_user("u", "p")
    idle, used, closed = (accounts.open_session(user.id) for _ in range(3))
    accounts.close_session(closed)
    assert accounts.session_user(closed) is None
    step = SESSION_IDLE_MS / 1000 - 60
    for _ in range(4):
        clock.advance(step)
        assert accounts.session_user(used) == user
    assert accounts.session_user(idle) is None
    clock.advance(SESSION_LIFE_MS / 1000 - 4 * step + 1)
    assert accounts.session_user(used) is None
    assert accounts.session_user("\ud800") is None


def test_people_can_log_in_while_the_disk_is_full(tmp_path: Path) -> None:
    """The session is kept in memory then; other writes say DiskFull."""
    state = State(tmp_path / "s.sqlite")
    accounts = SqliteAccounts(state)
    user = accounts.add_user("u", "p")
    pages = state.read("PRAGMA page_count")[0][0]
    state.read(f"PRAGMA max_page_count = {pages}")
    tokens = [accounts.open_session(user.id, agent="x" * 200) for _ in range(200)]
    assert all(accounts.session_user(token) == user for token in tokens)
    with pytest.raises(DiskFull):
        accounts.set_preferences(user.id, {"x": "y" * 100_000})
    accounts.close_session(tokens[-1])
    assert accounts.session_user(tokens[-1]) is None
    state.close()


def test_bad_users_are_refused(accounts: SqliteAccounts) -> None:
    """Empty, taken, of an unknown role."""
    accounts.add_user("u", "p")
    for login, password in (("", "p"), ("v", ""), ("U", "p")):
        with pytest.raises(ValueError):
            accounts.add_user(login, password)
