"""PromQL's lexer: three states (statement, braces, duration brackets), one token at a time, upstream's error texts.

A lexer error becomes the last token, so that it is reported when, and only when, the parser gets that far.
"""

import re

from spyglass.query.promql.tokens import AGGREGATORS, KEYWORDS, OPERATOR_WORDS, PREPROCESSORS, Token
from spyglass.query.syntax.quoting import quote

_SPACE = re.compile(r"[ \t\n\r]+|#[^\n\r]*")
_WORD = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_PLAIN_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r"==|=~|=|!=|!~|<=|</|<|>=|>/|>|[-+*/%^@]")
_NUMBER = re.compile(
    r"0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*"
    r"|(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?"
)
_DURATION = re.compile(r"[0-9]+(?:[smhdwy]s?)(?:[0-9]+[smhdw]s?)*")
_BAD_NUMBER = re.compile(r"[0-9.][0-9a-zA-Z_.]*")
_ALNUM = re.compile(r"[A-Za-z0-9_]")
_FOLLOWED_BY_PAREN = re.compile(r"[ \t\n\r]*\(")


def tokens(text: str) -> list[Token]:
    """All tokens of a query, ended by "end of input" or by one "error"."""
    return _Lexer(text).run()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.found = text, 0, list[Token]()
        self.depth, self.braces, self.brackets = 0, False, False
        self.got_duration = self.got_colon = False

    def run(self) -> list[Token]:
        while not self.found or self.found[-1].kind not in ("error", "end of input"):
            space = _SPACE.match(self.text, self.at)
            if space:
                self.at = space.end()
            elif self.braces:
                self._in_braces()
            elif self.brackets:
                self._in_brackets()
            else:
                self._statement()
        return self.found

    def _emit(self, kind: str, length: int, value: str = "") -> None:
        word = self.text[self.at : self.at + length]
        self.found.append(Token(kind, word, self.at, value or word))
        self.at += length

    def _error(self, message: str, start: int | None = None) -> None:
        self.found.append(Token("error", message, self.at if start is None else start))

    def _statement(self) -> None:
        char = self.text[self.at : self.at + 1]
        if char == "":
            self._end()
        elif char.isascii() and (char.isalpha() or char in "_:"):
            self._word()
        elif (char.isdigit() and char.isascii()) or (char == "." and self.text[self.at + 1 : self.at + 2].isdigit()):
            self._number()
        elif char in "\"'`":
            self._string(char)
        elif char in "(),":
            self._paren(char)
        elif char == "{":
            self._emit("punctuation", 1)
            self.braces = True
        elif char == "[":
            self._emit("punctuation", 1)
            self.brackets, self.got_colon, self.got_duration = True, False, False
        elif char == "]":
            self._error(f"unexpected right bracket {_rune(char)}", self.at + 1)
        else:
            self._operator(char)

    def _end(self) -> None:
        if self.depth:
            self._error("unclosed left parenthesis")
        else:
            self._emit("end of input", 0)

    def _paren(self, char: str) -> None:
        self._emit("punctuation", 1)
        self.depth += {"(": 1, ")": -1, ",": 0}[char]
        if self.depth < 0:
            # Upstream emits the parenthesis and then fails; the failure hides whatever the parser would say.
            self.found.pop()
            self._error(f"unexpected right parenthesis {_rune(char)}")

    def _operator(self, char: str) -> None:
        match = _OPERATOR.match(self.text, self.at)
        following = self.text[self.at + 1 : self.at + 2]
        if match is None:
            if char == "!":
                self._error(f"unexpected character after '!': {_rune(following)}")
            else:
                self._error(f"unexpected character: {_rune(char)}")
        elif match.group() == "=~":
            self._error("unexpected character after '=': '~'")
        elif match.group() == "!~":
            self._error("unexpected character after '!': '~'")
        elif match.group() == "=":
            self._emit("punctuation", 1)
        else:
            self._emit("op", len(match.group()))

    def _word(self) -> None:
        match = _WORD.match(self.text, self.at)
        assert match is not None
        word = match.group()
        lower = word.lower()
        if lower in ("inf", "nan"):
            self._emit("number", len(word))
        elif lower in OPERATOR_WORDS:
            self._emit("op", len(word), lower)
        elif lower in AGGREGATORS:
            self._emit("aggregator", len(word), lower)
        elif lower in PREPROCESSORS:
            self._emit("preprocessor", len(word), lower)
        elif lower in KEYWORDS and not (
            lower.startswith("fill") and not _FOLLOWED_BY_PAREN.match(self.text, match.end())
        ):
            self._emit("keyword", len(word), lower)
        else:
            self._emit("metric identifier" if ":" in word else "identifier", len(word))

    def _number(self) -> None:
        for kind, pattern in (("number", _NUMBER), ("duration", _DURATION)):
            match = pattern.match(self.text, self.at)
            if match and not _ALNUM.match(self.text, match.end()) and self.text[match.end() : match.end() + 1] != ".":
                self._emit(kind, len(match.group()))
                return
        bad = _BAD_NUMBER.match(self.text, self.at)
        assert bad is not None
        self._error(f"bad number or duration syntax: {quote(self._bad_number(bad.group()))}")

    @staticmethod
    def _bad_number(text: str) -> str:
        """The prefix that upstream has read when it gives up: up to and including the first character that cannot go on."""
        match = re.match(r"[0-9_.]*(?:[smhdwy][0-9s]*)?", text)
        length = match.end() if match else 0
        return text[: max(length, 1)]

    def _string(self, opening: str) -> None:
        at = self.at + 1
        while True:
            char = self.text[at : at + 1]
            if char == "" or (char == "\n" and opening != "`"):
                kind = "raw string" if opening == "`" else "quoted string"
                self._error(f"unterminated {kind}")
                return
            if char == opening:
                break
            if char == "\\" and opening != "`":
                problem, at = _escape_problem(self.text, at + 1, opening)
                if problem:
                    self._error(problem)
                    return
                continue
            at += 1
        self._emit("string", at + 1 - self.at)

    def _in_braces(self) -> None:
        char = self.text[self.at : self.at + 1]
        if char == "":
            self._error("unexpected end of input inside braces")
        elif match := _PLAIN_WORD.match(self.text, self.at):
            self._emit("identifier", len(match.group()))
        elif char == ",":
            self._emit("punctuation", 1)
        elif char in "\"'`":
            self._string(char)
        elif char == "=":
            self._emit("punctuation" if self.text[self.at + 1 : self.at + 2] != "~" else "op", self._width("~"))
        elif char == "!":
            following = self.text[self.at + 1 : self.at + 2]
            if following and following in "~=":
                self._emit("op", 2)
            else:
                self._error(f"unexpected character after '!' inside braces: {_rune(following)}")
        elif char == "{":
            self._error(f"unexpected left brace {_rune(char)}")
        elif char == "}":
            self._emit("punctuation", 1)
            self.braces = False
        else:
            self._error(f"unexpected character inside braces: {_rune(char)}")

    def _width(self, second: str) -> int:
        return 2 if self.text[self.at + 1 : self.at + 2] == second else 1

    def _in_brackets(self) -> None:
        char = self.text[self.at : self.at + 1]
        if char == "":
            self._error("unexpected end of input in duration expression")
        elif char == "]":
            self._emit("punctuation", 1)
            self.brackets = False
        elif char == ":":
            self._colon()
        elif char in "(),":
            self._paren(char)
        elif char in "+-*/%^":
            self._emit("op", 1)
        elif (char.isdigit() and char.isascii()) or (char == "." and self.text[self.at + 1 : self.at + 2].isdigit()):
            self.got_duration = True
            self._number()
        else:
            match = re.compile(r"[A-Za-z_]+").match(self.text, self.at)
            word = match.group().lower() if match else ""
            if word in ("step", "range"):
                self.got_duration = True
                self._emit("preprocessor", len(word), word)
            elif word in ("min", "max"):
                self.got_duration = True
                self._emit("aggregator", len(word), word)
            elif word in ("min_of", "max_of"):
                self.got_duration = True
                self._emit("identifier", len(word), word)
            else:
                self._error(f"unexpected character in duration expression: {_rune(char)}")

    def _colon(self) -> None:
        if not self.got_duration:
            self._error("unexpected colon before duration in duration expression", self.at + 1)
        elif self.got_colon:
            self._error("unexpected repeated colon in duration expression", self.at + 1)
        else:
            self.got_colon = True
            self._emit("punctuation", 1)


def _escape_problem(text: str, at: int, opening: str) -> tuple[str, int]:
    """What is wrong with the escape whose letter stands at `at` ("" if nothing), and the offset behind it."""
    letter = text[at : at + 1]
    if letter and letter in "abfnrtv\\" + opening:
        return "", at + 1
    if letter == "":
        return "escape sequence not terminated", at
    if letter in "xuU":
        start, width, base = at + 1, {"x": 2, "u": 4, "U": 8}[letter], 16
    elif letter in "01234567":
        start, width, base = at, 3, 8
    else:
        return f"unknown escape sequence {_code_point(letter)}", at
    value = 0
    for char in text[start : start + width].ljust(width, "\0"):
        digit = "0123456789abcdef".find(char.lower())
        if char == "\0":
            return "escape sequence not terminated", at
        if digit < 0 or digit >= base:
            return f"illegal character {_code_point(char)} in escape sequence", at
        value = value * base + digit
    if (letter in "uU" and value > 0x10FFFF) or (base == 8 and value > 255) or 0xD800 <= value < 0xE000:
        return "escape sequence is an invalid Unicode code point", at
    return "", start + width


def _code_point(char: str) -> str:
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")


def _rune(char: str) -> str:
    """Go's %q of a rune."""
    if char == "":
        return "'�'"
    if char == "'":
        return "'\\''"
    if char == '"':
        return "'\"'"
    return "'" + quote(char)[1:-1] + "'"
