"""Patterns of lines: what is alike is one, what differs stays apart, floods are bounded."""

import json

from spyglass.api.loki.template_miner import MAX_CLUSTERS, TemplateMiner


def mined(lines: list[str]) -> list[tuple[int, str]]:
    miner = TemplateMiner()
    for line in lines:
        miner.add(line, 0)
    return [(cluster.total, cluster.pattern) for cluster in miner.clusters()]


def test_words_that_differ_are_holes() -> None:
    """Numbers at once, other words when a second line shows them to vary."""
    lines = [f"user {name} logged in from 10.0.0.{n}" for n, name in enumerate(["ann", "bob", "cid"])]
    assert mined([*lines, "disk full"]) == [(3, "user <_> logged in from <_>"), (1, "disk full")]


def test_json_lines_are_told_apart_by_their_values() -> None:
    """Keys are the same in every line of an application: they do not make lines alike."""
    lines = [json.dumps({"level": "info", "message": "order paid", "id": n}) for n in range(5)]
    lines += [json.dumps({"level": "warn", "message": "stock low", "id": n}) for n in range(3)]
    assert mined(lines) == [
        (5, '{"level": "info", "message": "order paid", "id": <_>}'),
        (3, '{"level": "warn", "message": "stock low", "id": <_>}'),
    ]


def test_lines_without_end_are_bounded() -> None:
    """However many kinds of lines there are."""
    lines = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)} {'word ' * (n % 50)}" for n in range(5000)]
    assert len(mined(lines)) <= MAX_CLUSTERS
    assert mined(["", " ", "x" * 10_000]) != []
