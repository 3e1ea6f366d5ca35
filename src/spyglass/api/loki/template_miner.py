"""Patterns of log lines: lines that differ in some words only are one pattern, with `<_>` where they differ.

A fixed-depth tree in the manner of Drain (He et al., 2017): lines of as many words, and the same first words, are compared word by
word with the clusters there; a line joins the most similar one when at least SIMILARITY of the words that say something agree.
"""

import re
from collections import Counter
from dataclasses import dataclass, field

SIMILARITY = 0.5
MAX_CLUSTERS = 300
MAX_WORDS = 60
MAX_CHARACTERS = 2000
MAX_COMPARED = 40
WILD = "<_>"

_BETWEEN = frozenset(' \t\n\r\f\v=:,"{}[]()')

_WORD = re.compile(r'[^\s=:,"{}\[\]()]+|[\s=:,"{}\[\]()]+')
_VARIABLE = re.compile(r"[-+]?\d[\w.:%+-]*|(?=[\w-]*\d)[0-9a-fA-F-]{8,}|\w*\d\w*")


@dataclass(slots=True)
class Cluster:
    """words: the pattern. counts: lines per bucket of time."""

    words: list[str]
    counts: Counter[int] = field(default_factory=Counter)

    @property
    def pattern(self) -> str:
        text = "".join(self.words)
        return re.sub(rf"{re.escape(WILD)}(?:[ ,:]*{re.escape(WILD)})+", WILD, text)

    @property
    def total(self) -> int:
        return self.counts.total()


class TemplateMiner:
    """Mines one set of lines. Bounded: beyond MAX_CLUSTERS patterns, or MAX_COMPARED that begin alike, new kinds of lines are not
    counted.
    """

    def __init__(self) -> None:
        self._leaves: dict[tuple[int, str], list[Cluster]] = {}
        self._seen: dict[tuple[str, ...], Cluster | None] = {}
        self._clusters = 0

    def add(self, line: str, bucket: int) -> None:
        words = words_of(line)
        if not words:
            return
        key = tuple(words)
        if key not in self._seen:
            if len(self._seen) > 20 * MAX_CLUSTERS:
                self._seen.clear()
            self._seen[key] = self._cluster(words)
        cluster = self._seen[key]
        if cluster is not None:
            cluster.counts[bucket] += 1

    def clusters(self) -> list[Cluster]:
        """The most frequent first; those that came to read alike are one."""
        merged: dict[str, Cluster] = {}
        for leaf in self._leaves.values():
            for cluster in leaf:
                into = merged.setdefault(cluster.pattern, Cluster(cluster.words))
                into.counts.update(cluster.counts)
        return sorted(merged.values(), key=lambda cluster: (-cluster.total, cluster.pattern))

    def _cluster(self, words: list[str]) -> Cluster | None:
        leaf = self._leaves.setdefault((len(words), words[0]), [])
        best, best_score = None, SIMILARITY
        for cluster in leaf:
            score = similarity(cluster.words, words)
            if score >= best_score:
                best, best_score = cluster, score
        if best is not None:
            best.words = [a if a == b else WILD for a, b in zip(best.words, words, strict=True)]
            return best
        if self._clusters >= MAX_CLUSTERS or len(leaf) >= MAX_COMPARED:
            return None
        self._clusters += 1
        cluster = Cluster(words)
        leaf.append(cluster)
        return cluster


def words_of(line: str) -> list[str]:
    """Words and what is between them, alternating; what holds digits is a variable at once.

    >>> words_of("took 31ms for GET /api")
    ['took', ' ', '<_>', ' ', 'for', ' ', 'GET', ' ', '/api']
    """
    words = _WORD.findall(line[:MAX_CHARACTERS])[: 2 * MAX_WORDS]
    return [WILD if _VARIABLE.fullmatch(word) else word for word in words]


def similarity(left: list[str], right: list[str]) -> float:
    """The share of equal words, of those that say something: not what is between words, not keys, not what is <_> in both.

    >>> similarity(["a", " ", "b"], ["a", " ", "c"]), similarity(["k", "=", "x"], ["k", "=", "y"])
    (0.5, 0.0)
    """
    equal = told = 0
    for place in range(len(left)):
        word, other = left[place], right[place]
        if word == other and (word == WILD or word[0] in _BETWEEN or _is_key(left, place)):
            continue
        told += 1
        equal += word == other
    return equal / told if told else 1.0


def _is_key(words: list[str], place: int) -> bool:
    """The word before `=` or `":`."""
    after = words[place + 1] if place + 1 < len(words) else ""
    return "=" in after or '":' in after
