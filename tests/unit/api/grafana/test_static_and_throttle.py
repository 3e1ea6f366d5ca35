"""The list of UI files, and the counting of failed logins."""

from pathlib import Path

from spyglass.api.grafana.static import list_assets, media_type_of
from spyglass.api.grafana.throttle import MAX_KEYS, PER_ADDRESS, PER_LOGIN, WINDOW_S, Throttle


def test_precompressed_files_stand_behind_their_original(tmp_path: Path) -> None:
    """x.js.br is an encoding of x.js, not a file of its own; a lone .gz is."""
    for name in ("a.js", "a.js.br", "a.js.gz", "data.gz"):
        (tmp_path / name).write_bytes(b"x")
    assets = list_assets(tmp_path)
    assert sorted(assets) == ["a.js", "data.gz"]
    assert [encoding for encoding, _ in assets["a.js"].encodings] == ["br", "gzip"]
    assert list_assets(None) == {}
    assert media_type_of("x.woff2") == "font/woff2"


def test_one_guesser_does_not_lock_others_out() -> None:
    """Five failures on a login from one address: that address waits for that login, nobody else."""
    throttle = Throttle()
    for second in range(PER_LOGIN):
        assert throttle.wait_s("1.1.1.1", "admin", second) == 0
        throttle.failed("1.1.1.1", "admin", second)
    assert throttle.wait_s("1.1.1.1", "ADMIN", 5) == WINDOW_S - 5
    assert throttle.wait_s("2.2.2.2", "admin", 5) == 0
    assert throttle.wait_s("1.1.1.1", "other", 5) == 0
    assert throttle.wait_s("1.1.1.1", "admin", WINDOW_S + 5) == 0


def test_trying_many_logins_is_slowed_too() -> None:
    """By address, whatever the login; success forgets the failures of that login only."""
    throttle = Throttle()
    for number in range(PER_ADDRESS):
        throttle.failed("1.1.1.1", f"user{number}", 0)
    assert throttle.wait_s("1.1.1.1", "fresh", 1) > 0
    throttle.succeeded("1.1.1.1", "user1")
    assert throttle.wait_s("1.1.1.1", "user1", 1) > 0


def test_a_flood_of_addresses_is_bounded() -> None:
    """Memory does not grow with the number of guessers."""
    throttle = Throttle()
    for number in range(MAX_KEYS):
        throttle.failed(f"10.{number}", "admin", 0)
    assert len(throttle._failures) <= MAX_KEYS
