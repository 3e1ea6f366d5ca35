"""Pieces of a template: texts, and actions as lists of tokens. Trim markers and comments are gone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spyglass.text.gostring import quote
from spyglass.text.gotemplate.values import TemplateError

_ACTION = re.compile(r"\{\{(-(?=[ \t\r\n]))?")

_COMMENT = re.compile(r"[ \t\r\n]*/\*.*?\*/[ \t\r\n]*(-)?\}\}", re.DOTALL)

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<close>(?<=[ \t\r\n])-\}\}|\}\})"
    r"|(?P<string>\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)"
    r"|(?P<char>'(?:[^'\\\n]|\\.[^']*)')"
    r"|(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))"
    r"|(?P<field>\.[^\W\d]\w*)"
    r"|(?P<dot>\.)"
    r"|(?P<variable>\$(?:[^\W\d]\w*)?)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<mark>:=|=|\||\(|\)|,)"
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    spaced: bool
    line: int


def pieces(source: str, fail: Callable[[str, int], TemplateError]) -> Iterator[str | list[Token]]:
    """Texts and actions (as token lists), with trim markers applied."""
    at, trim = 0, False
    while True:
        start = _ACTION.search(source, at)
        text = source[at : start.start()] if start else source[at:]
        if trim:
            text = text.lstrip(" \t\r\n")
        if start is None:
            yield text
            return
        if start.group(1):
            text = text.rstrip(" \t\r\n")
        yield text
        comment = _COMMENT.match(source, start.end())
        if comment is not None:
            at, trim = comment.end(), bool(comment.group(1))
            continue
        tokens, at, trim = _action(source, start.end(), fail)
        yield tokens


def _action(source: str, at: int, fail: Callable[[str, int], TemplateError]) -> tuple[list[Token], int, bool]:
    tokens: list[Token] = []
    line = source.count("\n", 0, at) + 1
    spaced = False
    while True:
        match = _TOKEN.match(source, at)
        if match is None:
            if at >= len(source):
                raise fail("unclosed action", line)
            if source[at] in '"`':
                raise fail("unterminated quoted string", line)
            raise fail(f"unexpected {quote(source[at])} in operand", line)
        kind, text = str(match.lastgroup), match.group()
        at = match.end()
        if kind == "space":
            spaced = True
            line += text.count("\n")
            continue
        if kind == "close":
            return tokens, at, text.startswith("-")
        tokens.append(Token(kind, text, spaced, line))
        spaced = False
