"""The parser's place in the token list: look, take, or fail as upstream's parser does."""

from dataclasses import dataclass, field

from spyglass.model.errors import ParseError, Span
from spyglass.query.logql.lexer import problem, tokenize
from spyglass.query.logql.tokens import END, RANK, STRAY, Token


def complaint(message: str, span: Span | None = None) -> ParseError:
    """An error that upstream raises without a position."""
    return ParseError(f"parse error : {message}", span=span)


@dataclass(slots=True)
class Cursor:
    tokens: list[Token]
    at: int = 0
    deferred: list[ParseError] = field(default_factory=list)
    """Faults of meaning: reported when the whole query is a sentence, as upstream does."""

    @staticmethod
    def over(text: str) -> "Cursor":
        return Cursor(tokenize(text))

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    def peek(self, ahead: int = 1) -> str:
        """The kind of a token further on."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)].kind

    def take(self) -> Token:
        token = self.tokens[self.at]
        if token.kind != END:
            self.at += 1
        return token

    def accept(self, *kinds: str) -> Token | None:
        """The next token if it is one of these."""
        return self.take() if self.kind in kinds else None

    def expect(self, *kinds: str) -> Token:
        """The next token, which must be one of these. Raises: ParseError."""
        if self.kind not in kinds:
            raise self.unexpected(*kinds)
        return self.take()

    def expect_among_many(self, kind: str) -> Token:
        """expect, where so much else could follow that messages name nothing. Raises: ParseError."""
        if self.kind != kind:
            raise self.unexpected()
        return self.take()

    def unexpected(self, *expected: str) -> ParseError:
        """Up to four alternatives are named, in the grammar's order; with more, none."""
        token = self.token
        hints = ""
        if 0 < len(expected) <= 4:
            hints = ", expecting " + " or ".join(sorted(expected, key=lambda kind: RANK.get(kind, 999)))
        found = "IDENTIFIER" if token.kind == STRAY else token.kind
        return problem(f"syntax error: unexpected {found}{hints}", token.line, token.column, token.span)

    def span_from(self, start: int) -> Span:
        """From a character offset to the end of the token before the next."""
        return Span(start, self.tokens[max(self.at - 1, 0)].span.end)
