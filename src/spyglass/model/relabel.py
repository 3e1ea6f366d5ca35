"""Relabelling: the one mini-language that scraping, the agent, alerting and remote write share.

Rules run in order over a label dictionary; a rule may drop the target. Source: Prometheus model/relabel/relabel.go.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from spyglass.text.regex import anchored_program, expand

ACTIONS = frozenset(
    [
        "replace",
        "keep",
        "drop",
        "keepequal",
        "dropequal",
        "hashmod",
        "labelmap",
        "labeldrop",
        "labelkeep",
        "lowercase",
        "uppercase",
    ]
)


@dataclass(frozen=True, slots=True)
class RelabelRule:
    """One rule, defaults as upstream's. regex is fully anchored, `.` matches newlines (Prometheus 3)."""

    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = "(.*)"
    modulus: int = 0
    target_label: str = ""
    replacement: str = "$1"
    action: str = "replace"


def relabel(labels: dict[str, str], rules: Sequence[RelabelRule]) -> dict[str, str] | None:
    """Apply the rules to a copy of `labels`; None when the target is dropped. Empty values are removed at the end."""
    current = dict(labels)
    for rule in rules:
        if not _apply(rule, current):
            return None
    return {name: value for name, value in current.items() if value != ""}


def relabel_steps(labels: dict[str, str], rules: Sequence[RelabelRule]) -> list[dict[str, str] | None]:
    """The labels after each rule; None from the rule on that drops the target."""
    steps: list[dict[str, str] | None] = []
    current, kept = dict(labels), True
    for rule in rules:
        kept = kept and _apply(rule, current)
        steps.append({name: value for name, value in current.items() if value != ""} if kept else None)
    return steps


def _apply(rule: RelabelRule, labels: dict[str, str]) -> bool:
    value = rule.separator.join(labels.get(name, "") for name in rule.source_labels)
    action = rule.action
    if action == "drop":
        return not _full(rule, value)
    if action == "keep":
        return _full(rule, value)
    if action == "dropequal":
        return labels.get(rule.target_label, "") != value
    if action == "keepequal":
        return labels.get(rule.target_label, "") == value
    if action == "replace":
        _replace(rule, value, labels)
    elif action == "lowercase":
        labels[rule.target_label] = value.lower()
    elif action == "uppercase":
        labels[rule.target_label] = value.upper()
    elif action == "hashmod":
        digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
        labels[rule.target_label] = str(int.from_bytes(digest[8:], "big") % rule.modulus)
    elif action == "labelmap":
        _labelmap(rule, labels)
    elif action in ("labeldrop", "labelkeep"):
        for name in list(labels):
            if _full(rule, name) == (action == "labeldrop"):
                del labels[name]
    else:
        raise AssertionError(f"unknown relabel action {action!r}: configuration checks it")
    return True


def _full(rule: RelabelRule, value: str) -> bool:
    return anchored_program(rule.regex).fullmatch(value) is not None


def _replace(rule: RelabelRule, value: str, labels: dict[str, str]) -> None:
    match = anchored_program(rule.regex).fullmatch(value)
    if match is None:
        return
    target = expand(rule.target_label, match)
    if not target:
        return
    result = expand(rule.replacement, match)
    if result == "":
        labels.pop(target, None)
    else:
        labels[target] = result


def _labelmap(rule: RelabelRule, labels: dict[str, str]) -> None:
    for name, value in list(labels.items()):
        match = anchored_program(rule.regex).fullmatch(name)
        if match is not None:
            labels[expand(rule.replacement, match)] = value
