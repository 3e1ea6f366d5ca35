"""How alike two texts are, from 0 to 1, for search boxes."""

from itertools import pairwise

PREFIX_WEIGHT = 0.1
PREFIX_MAX = 4
"""Winkler's bonus: so much per leading character that agrees, for so many of them."""


def jaro_winkler(left: str, right: str) -> float:
    """Jaro's similarity with Winkler's bonus for a common start. Source: Winkler 1990.

    >>> round(jaro_winkler("MARTHA", "MARHTA"), 3), round(jaro_winkler("DIXON", "DICKSONX"), 3), jaro_winkler("a", "b")
    (0.961, 0.813, 0.0)
    """
    jaro = _jaro(left, right)
    common = 0
    for a, b in zip(left[:PREFIX_MAX], right[:PREFIX_MAX], strict=False):
        if a != b:
            break
        common += 1
    return jaro + common * PREFIX_WEIGHT * (1 - jaro)


def _jaro(left: str, right: str) -> float:
    if left == right:
        return 1.0
    reach = max(max(len(left), len(right)) // 2 - 1, 0)
    taken = [False] * len(right)
    matched: list[str] = []
    for at, char in enumerate(left):
        for other in range(max(0, at - reach), min(len(right), at + reach + 1)):
            if not taken[other] and right[other] == char:
                taken[other] = True
                matched.append(char)
                break
    if not matched:
        return 0.0
    ordered = [char for char, used in zip(right, taken, strict=True) if used]
    transposed = sum(a != b for a, b in zip(matched, ordered, strict=True)) / 2
    count = len(matched)
    return (count / len(left) + count / len(right) + (count - transposed) / count) / 3


def subsequence(query: str, text: str) -> float:
    """0 where the characters of `query` do not occur in `text` in this order; else more, the longer the runs and the fewer the gaps.

    A text that starts with the query is 1. Characters are taken from the end of the text, so that runs near its end, where names
    differ, are kept together.

    >>> subsequence("http", "http_requests"), subsequence("xyz", "http"), subsequence("htp", "http") > subsequence("htp", "h_t_p")
    (1.0, 0.0, True)
    """
    if text.startswith(query):
        return 1.0
    places: list[int] = []
    at = len(text)
    for char in reversed(query):
        at = text.rfind(char, 0, at)
        if at < 0:
            return 0.0
        places.append(at)
    places.reverse()
    joined = sum(after == before + 1 for before, after in pairwise(places))
    span = places[-1] - places[0] + 1
    tightness = len(query) / span
    runs = (joined + 1) / len(query)
    return 0.9 * (tightness + runs) / 2
