"""The labels of single lines that no template covers: what the executor's parser would extract, line by line.

Slow and exact. Where the outcome hangs on more than the line (a broken object, whose error depends on what the query needs), it gives up.
"""

from collections.abc import Callable

from spyglass.model.labels import Labels
from spyglass.model.log_stages import AndPredicate, IpPredicate, JsonParser, NumberPredicate, OrPredicate, Predicate
from spyglass.storage.logs.fields import EXTRACTED, Parser
from spyglass.storage.logs.verdicts import ASK, DROP, KEEP, judge_of
from spyglass.text.jsonlines import NOT_JSON, Pairs, clean_text, decode_object, nested_name, sanitize_name
from spyglass.text.logfmt import parse_logfmt

ERROR = "__error__"
JSON_ERROR = "JSONParserErr"
Fields = dict[str, str]


def line_fields(line: str, labels: Labels, metadata: Labels, parser: Parser | None) -> Fields | None:
    """All labels of a line after the parser, `__error__` among them; None where only the executor can tell."""
    found = dict(labels)
    for name, value in metadata:
        found[name + EXTRACTED if name in found else name] = value
    taken = frozenset(found)
    parsed: Fields = {}
    if isinstance(parser, JsonParser):
        pairs, problem = decode_object(line)
        if problem == NOT_JSON:
            parsed[ERROR] = JSON_ERROR
        elif problem:
            return None
        _collect(pairs, "", parsed, taken)
    elif parser is not None:
        pairs_found, _ = parse_logfmt(line)
        for key, value in pairs_found:
            name = key if key.isidentifier() and key.isascii() else sanitize_name(key)
            if name and (value or parser.keep_empty):
                _put(parsed, name, clean_text(value), taken)
    return found | parsed


def _collect(pairs: Pairs, prefix: str, parsed: Fields, taken: frozenset[str]) -> None:
    for key, value in pairs:
        if value is None or isinstance(value, list):
            continue
        name = nested_name(prefix, key) if prefix else sanitize_name(key)
        if isinstance(value, tuple):
            _collect(value, name, parsed, taken)
        else:
            text = ("true" if value else "false") if isinstance(value, bool) else clean_text(value)
            _put(parsed, name, text, taken)


def _put(parsed: Fields, name: str, value: str, taken: frozenset[str]) -> None:
    name = name + EXTRACTED if name in taken else name
    if name:
        parsed.setdefault(name, value)


def judge_line(predicate: Predicate, fields: Fields) -> int:
    """One line's verdict; ASK where the executor would mark an error. A line that has one passes comparisons of numbers."""
    if isinstance(predicate, AndPredicate | OrPredicate):
        left = judge_line(predicate.left, fields)
        decided = DROP if isinstance(predicate, AndPredicate) else KEEP
        return left if left in (decided, ASK) else judge_line(predicate.right, fields)
    if isinstance(predicate, IpPredicate):
        return ASK
    if isinstance(predicate, NumberPredicate) and ERROR in fields:
        return KEEP
    judge: Callable[[str | None], int] = judge_of(predicate)
    return judge(fields.get(predicate.name))
