"""The labels of a remote write series: read from its key, and checked as upstream does."""

from spyglass.formats import wire
from spyglass.formats.series_keys import Key
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import METRIC_NAME, Labels


class BadLabels(MalformedBody):
    """One series' labels cannot be used; the other series of the body can."""


def labels_of_key(key: Key) -> Labels:
    """The canonical labels of a series. Raises: BadLabels."""
    if not isinstance(key, bytes):
        return key
    return checked([wire.text_pair(wire.message(value)) for number, _, value in wire.fields(key) if number == 1])


def checked(pairs: list[tuple[str, str]]) -> Labels:
    """The canonical labels. Raises: BadLabels."""
    names = [name for name, _ in pairs]
    if "" in names:
        raise BadLabels(f"invalid labels for series, labels {shown(pairs)}, an empty label name")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadLabels(f"invalid labels for series, labels {shown(pairs)}, duplicated label {twice}")
    labels = tuple(sorted((name, value) for name, value in pairs if value))
    if not any(name == METRIC_NAME for name, _ in labels):
        raise BadLabels(f"invalid metric name or labels, got {shown(pairs)}")
    return labels


def shown(pairs: list[tuple[str, str]]) -> str:
    """Labels as upstream's messages show them."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in pairs) + "}"
