"""Configuration as it may be shown."""

import doctest

import pytest

from spyglass.config import secrets
from spyglass.config.secrets import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("basic_auth:\n  username: u\n  password: p  # why\n", "basic_auth:\n  username: u\n  password: <secret>  # why\n"),
        ("a: {password: p, username: u}\n", "a: {password: <secret>, username: u}\n"),
        ('a: {"password": "p, q", b: 1}\n', 'a: {"password": <secret>, b: 1}\n'),
        ("password: |\n  one\n  two\nnext: 1\n", "password: <secret>\nnext: 1\n"),
        ("headers: {K: {secrets: [a, b], values: [c]}}\n", "headers: {K: {secrets: [<secret>, <secret>], values: [c]}}\n"),
        ("x: &p {password: s}\ny: *p\n", "x: &p {password: <secret>}\ny: *p\n"),
        ("password:\nusername: u\n", "password:\nusername: u\n"),
        ("password_file: /run/secret\n", "password_file: /run/secret\n"),
        ("# password: p\n", "# password: p\n"),
        ("", ""),
    ],
)  # fmt: skip
def test_secrets_are_masked_in_any_notation(text: str, shown: str) -> None:
    """Blocks, flows, quotes, literal blocks, lists and aliases; names of files and comments stay."""
    assert masked(text) == shown


def test_examples() -> None:
    """The docstrings are true."""
    assert doctest.testmod(secrets).failed == 0
