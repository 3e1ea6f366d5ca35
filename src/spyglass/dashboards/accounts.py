"""People who log in: argon2 hashes, sessions of which only a hash is stored, stars, preferences.

A wrong password and an unknown login cost the same time. A password that was right is remembered for a few minutes as a keyed hash
in memory, so that a script with basic authentication does not pay for argon2 on each request.
"""

import contextlib
import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import argon2

from spyglass.dashboards.state import State
from spyglass.model.errors import StorageError
from spyglass.protocols.dashboards import Accounts, FirstAccount, Role, User

log = logging.getLogger(__name__)

SESSION_IDLE_MS = 7 * 86_400_000
SESSION_LIFE_MS = 30 * 86_400_000
SEEN_STEP_MS = 600_000
"""A session's last use is written at most this often: reading a page is no write to the disk."""
MAX_VOLATILE = 1_000
"""Sessions kept in memory while the disk takes none; the oldest go first."""
REMEMBER_MS = 300_000

# 19 MiB, two passes, one lane: OWASP's setting; the library's default of 64 MiB would show in our resident memory.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_SELECT = "SELECT id, login, name, email, role, is_admin, hash FROM users"


@dataclass(frozen=True, slots=True)
class _Session:
    """A session that could not be written."""

    user_id: int
    created_ms: int


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class SqliteAccounts(Accounts):
    """Accounts in the state file. now_ms: wall time."""

    def __init__(self, state: State, *, now_ms: Callable[[], int] = _wall_ms) -> None:
        self._state, self._now_ms = state, now_ms
        self._nobody = _HASHER.hash(secrets.token_hex(16))
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, tuple[int, str, int]] = {}
        self._volatile: dict[bytes, _Session] = {}

    def verify(self, login: str, password: str) -> User | None:
        rows = self._state.read(f"{_SELECT} WHERE login = ? OR (email <> '' AND email = ?)", (login, login))
        stored = str(rows[0]["hash"]) if rows else self._nobody
        digest = hmac.digest(self._key, f"{login}\0{password}".encode(), "sha256")
        known = self._right.get(digest)
        now = self._now_ms()
        if rows and known is not None and known[1] == stored and now < known[2]:
            return _user(rows[0])
        if not _matches(stored, password) or not rows:
            return None
        if len(self._right) > 1000:
            self._right.clear()
        self._right[digest] = (int(rows[0]["id"]), stored, now + REMEMBER_MS)
        return _user(rows[0])

    def users(self) -> list[User]:
        return [_user(row) for row in self._state.read(f"{_SELECT} ORDER BY id")]

    def add_user(
        self,
        login: str,
        password: str,
        *,
        role: Role = "Viewer",
        is_admin: bool = False,
        name: str = "",
        email: str = "",
    ) -> User:
        """Raises: ValueError for an empty or taken login, an empty password, an unknown role."""
        if not login or not password:
            raise ValueError("login and password must not be empty")
        if role not in get_args(Role):
            raise ValueError(f"role should be Viewer, Editor or Admin, found {role!r}")
        if self._state.read("SELECT 1 FROM users WHERE login = ?", (login,)):
            raise ValueError(f"there is a user {login!r} already")
        with self._state.write() as connection:
            cursor = connection.execute(
                "INSERT INTO users (login, name, email, role, is_admin, hash, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (login, name, email, role, int(is_admin), _HASHER.hash(password), self._now_ms()),
            )
        return User(int(cursor.lastrowid or 0), login, name, email, role, is_admin)

    def set_password(self, user_id: int, password: str) -> None:
        """Set it, and end all sessions of the user."""
        if not password:
            raise ValueError("the password must not be empty")
        with self._state.write() as connection:
            connection.execute("UPDATE users SET hash = ? WHERE id = ?", (_HASHER.hash(password), user_id))
            connection.execute("DELETE FROM sessions WHERE user_id = ?", (user_id,))
        self._volatile = {digest: kept for digest, kept in self._volatile.items() if kept.user_id != user_id}

    def change_password(self, user_id: int, old: str, new: str) -> bool:
        rows = self._state.read(f"{_SELECT} WHERE id = ?", (user_id,))
        if not rows or not _matches(str(rows[0]["hash"]), old):
            return False
        self.set_password(user_id, new)
        return True

    def open_session(self, user_id: int, *, address: str = "", agent: str = "") -> str:
        token, now = secrets.token_urlsafe(32), self._now_ms()
        row = (_token_hash(token), user_id, now, now, address[:64], agent[:200])
        try:
            with self._state.write() as connection:
                connection.execute(
                    "DELETE FROM sessions WHERE seen_ms < ? OR created_ms < ?",
                    (now - SESSION_IDLE_MS, now - SESSION_LIFE_MS),
                )
                connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", row)
        except StorageError as err:
            # A full disk is just when people must be able to look: this session lives as long as the process.
            log.warning("a session is kept in memory only: %s", err)
            self._volatile[row[0]] = _Session(user_id, now)
            if len(self._volatile) > MAX_VOLATILE:
                del self._volatile[next(iter(self._volatile))]
        return token

    def session_user(self, token: str) -> User | None:
        digest, now = _token_hash(token), self._now_ms()
        kept = self._volatile.get(digest)
        if kept is not None and now - kept.created_ms < SESSION_LIFE_MS:
            rows = self._state.read(f"{_SELECT} WHERE id = ?", (kept.user_id,))
            return _user(rows[0]) if rows else None
        rows = self._state.read(
            "SELECT u.id, u.login, u.name, u.email, u.role, u.is_admin, s.seen_ms FROM sessions s JOIN users u"
            " ON u.id = s.user_id WHERE s.token_hash = ? AND s.seen_ms >= ? AND s.created_ms >= ?",
            (digest, now - SESSION_IDLE_MS, now - SESSION_LIFE_MS),
        )
        if not rows:
            return None
        if now - int(rows[0]["seen_ms"]) > SEEN_STEP_MS:
            # Not worth an answer: the session merely ends earlier.
            with contextlib.suppress(StorageError), self._state.write() as connection:
                connection.execute("UPDATE sessions SET seen_ms = ? WHERE token_hash = ?", (now, digest))
        return _user(rows[0])

    def close_session(self, token: str) -> None:
        self._volatile.pop(_token_hash(token), None)
        with self._state.write() as connection:
            connection.execute("DELETE FROM sessions WHERE token_hash = ?", (_token_hash(token),))

    def stars(self, user_id: int) -> frozenset[str]:
        rows = self._state.read("SELECT uid FROM stars WHERE user_id = ?", (user_id,))
        return frozenset(str(row["uid"]) for row in rows)

    def set_star(self, user_id: int, uid: str, *, starred: bool) -> None:
        sql = (
            "INSERT OR IGNORE INTO stars VALUES (?, ?)"
            if starred
            else "DELETE FROM stars WHERE user_id = ? AND uid = ?"
        )
        with self._state.write() as connection:
            connection.execute(sql, (user_id, uid))

    def preferences(self, user_id: int) -> Mapping[str, Any]:
        rows = self._state.read("SELECT data FROM preferences WHERE user_id = ?", (user_id,))
        found: Mapping[str, Any] = json.loads(rows[0]["data"]) if rows else {}
        return found

    def set_preferences(self, user_id: int, preferences: Mapping[str, Any]) -> None:
        with self._state.write() as connection:
            connection.execute("INSERT OR REPLACE INTO preferences VALUES (?, ?)", (user_id, json.dumps(preferences)))


def ensure_admin(
    accounts: SqliteAccounts, *, login: str = "admin", password: str = "", demo: bool = False
) -> FirstAccount:
    """Make the first administrator where there is nobody yet.

    password given: that one. demo: admin/admin. Else one is generated and is in the result: show it now, it is not kept.
    """
    users = accounts.users()
    if users:
        return FirstAccount(users[0].login, demo=demo)
    chosen = password or ("admin" if demo else generate_password())
    accounts.add_user(login, chosen, role="Admin", is_admin=True, email="admin@localhost")
    return FirstAccount(login, "" if password or demo else chosen, demo)


def generate_password() -> str:
    """Four groups of five letters and digits that cannot be mistaken for one another: 96 bits and a bit."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def _matches(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _user(row: Any) -> User:
    return User(row["id"], row["login"], row["name"], row["email"], row["role"], bool(row["is_admin"]))
