"""Recursive descent from pieces to closures."""

import re
from collections.abc import Mapping

from spyglass.text.gostring import quote, unquote
from spyglass.text.gotemplate import expressions, statements
from spyglass.text.gotemplate.builtins import BUILTINS
from spyglass.text.gotemplate.lexer import Token, pieces
from spyglass.text.gotemplate.run import Expression, Function, Node, Template
from spyglass.text.gotemplate.values import TemplateError

_KEYWORDS = frozenset(["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"])


def parse_template(source: str, functions: Mapping[str, Function], *, name: str = "template") -> Template:
    """Compile. Raises: TemplateError, `template: NAME:LINE: what`."""
    parser = _Parser(source, {**BUILTINS, **functions}, name)
    try:
        body = parser.parse()
    except RecursionError:
        raise TemplateError(f"template: {name}: nested too deeply") from None
    return Template(name, source, {**parser.templates, name: body}, frozenset(parser.fields))


class _Parser:
    """Recursive descent over pieces; makes closures as it goes."""

    def __init__(self, source: str, functions: Mapping[str, Function], name: str) -> None:
        self.functions, self.name = functions, name
        self.templates: dict[str, Node] = {}
        self.fields: set[str] = set()
        self.scope: list[str] = ["$"]
        self.line = 1
        self.loops = 0
        self.pieces = pieces(source, self.fail_at)

    def fail_at(self, message: str, line: int) -> TemplateError:
        return TemplateError(f"template: {self.name}:{line}: {message}")

    def fail(self, message: str) -> TemplateError:
        return self.fail_at(message, self.line)

    def parse(self) -> Node:
        body, ending = self.block()
        if ending:
            raise self.fail(f"unexpected {{{{{ending[0].text}}}}}")
        return body

    def block(self) -> tuple[Node, list[Token]]:
        """Nodes up to `end`, `else` or the end of the text; the ending action's tokens."""
        nodes: list[Node] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                if piece:
                    nodes.append(statements.text_node(piece))
                    self.line += piece.count("\n")
                continue
            if not piece:
                raise self.fail("missing value for command")
            self.line = piece[0].line
            head = piece[0].text if piece[0].kind == "word" else ""
            if head in ("end", "else"):
                return statements.sequence(nodes), piece
            node = self.control(head, piece[1:]) if head in _KEYWORDS else self.action(piece)
            if node is not None:
                nodes.append(node)
        return statements.sequence(nodes), []

    def control(self, head: str, rest: list[Token]) -> Node | None:
        if head in ("if", "with"):
            return self.branch(head, rest)
        if head == "range":
            return self.range(rest)
        if head in ("define", "block"):
            return self.define(head, rest)
        if head == "template":
            return self.call_template(rest)
        if not self.loops:
            raise self.fail(f"{{{{{head}}}}} outside {{{{range}}}}")
        return statements.raise_break if head == "break" else statements.raise_continue

    def body(self, head: str) -> tuple[Node, Node | None]:
        """The list and the else-list of a control structure, through its `end`."""
        depth = len(self.scope)
        main, ending = self.block()
        other: Node | None = None
        if ending and ending[0].text == "else":
            del self.scope[depth:]
            if len(ending) > 1:
                chained = ending[1].text
                if chained not in ("if", "with") or head == "range":
                    raise self.fail(f"unexpected <{chained}> in else")
                return main, self.branch(chained, ending[2:])
            other, ending = self.block()
        if not ending or ending[0].text != "end":
            raise self.fail("unexpected EOF" if not ending else "expected end; found {{else}}")
        return main, other

    def branch(self, head: str, rest: list[Token]) -> Node:
        mark = len(self.scope)
        if not rest:
            raise self.fail(f"missing value for {head}")
        condition = self.pipeline(rest)
        main, other = self.body(head)
        del self.scope[mark:]
        return (
            statements.with_node(condition, main, other)
            if head == "with"
            else statements.if_node(condition, main, other)
        )

    def range(self, rest: list[Token]) -> Node:
        mark = len(self.scope)
        names: list[str] = []
        marks = [i for i, token in enumerate(rest) if token.text in (":=", "=") and token.kind == "mark"]
        declares = False
        if marks and rest[0].kind == "variable":
            names = [token.text for token in rest[: marks[0]] if token.kind == "variable"]
            declares = rest[marks[0]].text == ":="
            rest = rest[marks[0] + 1 :]
            if len(names) > 2:
                raise self.fail("too many declarations in range")
        source = self.pipeline(rest)
        if declares:
            self.scope.extend(names)
        self.loops += 1
        main, other = self.body("range")
        self.loops -= 1
        del self.scope[mark:]
        return statements.range_node(source, names, main, other)

    def define(self, head: str, rest: list[Token]) -> Node | None:
        if not rest or rest[0].kind != "string":
            raise self.fail(f"unexpected {quote(rest[0].text if rest else '')} in {head} clause")
        name = _unquoted(rest[0], self)
        outer, self.scope = self.scope, ["$"]
        argument = None
        if head == "block":
            self.scope = outer
            argument = self.pipeline(rest[1:])
            self.scope = ["$"]
        body, ending = self.block()
        self.scope = outer
        if not ending or ending[0].text != "end":
            raise self.fail("unexpected EOF")
        self.templates[name] = body
        return statements.call_template(name, argument, self.name) if head == "block" else None

    def call_template(self, rest: list[Token]) -> Node:
        if not rest or rest[0].kind != "string":
            raise self.fail("unexpected token in template clause")
        return statements.call_template(
            _unquoted(rest[0], self), self.pipeline(rest[1:]) if len(rest) > 1 else None, self.name
        )

    def action(self, tokens: list[Token]) -> Node:
        if tokens[0].kind == "variable" and len(tokens) > 1 and tokens[1].text in (":=", "="):
            name, declare = tokens[0].text, tokens[1].text == ":="
            value = self.pipeline(tokens[2:])
            if declare:
                self.scope.append(name)
                return statements.declare(name, value)
            self.known(name)
            return statements.assign(name, value)
        return statements.print_node(self.pipeline(tokens))

    def known(self, name: str) -> None:
        if name not in self.scope:
            raise self.fail(f"undefined variable {quote(name)}")

    def pipeline(self, tokens: list[Token]) -> Expression:
        if tokens and tokens[0].kind == "variable" and len(tokens) > 1 and tokens[1].text == ":=":
            self.scope.append(tokens[0].text)
            return statements.declared(tokens[0].text, self.pipeline(tokens[2:]))
        reader = _Operands(self, tokens)
        value = reader.pipeline()
        if reader.at < len(tokens):
            raise self.fail(f"unexpected {quote(tokens[reader.at].text)} in operand")
        return value


class _Operands:
    """One pipeline's tokens."""

    def __init__(self, parser: _Parser, tokens: list[Token]) -> None:
        self.parser, self.tokens, self.at, self.depth = parser, tokens, 0, 0

    def text(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def pipeline(self) -> Expression:
        value = self.command(None)
        while self.text() == "|":
            self.at += 1
            value = self.command(value)
        return value

    def command(self, piped: Expression | None) -> Expression:
        """`f a b`, `.x`, `(pipeline).y`: a function with its arguments, or one operand."""
        if self.text() == ")" and not self.depth:
            raise self.parser.fail("unexpected right paren")
        if self.at >= len(self.tokens) or self.text() in ("|", ")"):
            raise self.parser.fail("missing value for command")
        token = self.tokens[self.at]
        if token.kind == "word" and token.text not in ("true", "false", "nil"):
            self.at += 1
            function = self.parser.functions.get(token.text)
            if function is None:
                raise self.parser.fail(f"function {quote(token.text)} not defined")
            arguments = self.arguments()
            if piped is not None:
                arguments.append(piped)
            return expressions.call(token.text, function, arguments, self.parser.name)
        value = self.operand()
        arguments = self.arguments()
        if token.text == "nil":
            return expressions.no_command(self.parser.name)
        if arguments or piped is not None:
            return expressions.misplaced(
                value, token.text, self.parser.name, literal=token.kind in ("string", "number", "char")
            )
        return value

    def arguments(self) -> list[Expression]:
        found = []
        while self.at < len(self.tokens) and self.text() not in ("|", ")"):
            token = self.tokens[self.at]
            if not token.spaced and token.kind == "field":
                raise self.parser.fail(f"unexpected {quote(token.text)} after command")
            found.append(self.operand())
        return found

    def operand(self) -> Expression:
        token = self.tokens[self.at]
        self.at += 1
        value = self.term(token)
        names: list[str] = [token.text[1:]] if token.kind == "field" else []
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "field" and not self.tokens[self.at].spaced:
            names.append(self.tokens[self.at].text[1:])
            self.at += 1
        if token.kind in ("field", "variable"):
            self.parser.fields.update(names)
        return expressions.fields_of(value, names, self.parser.name) if names else value

    def term(self, token: Token) -> Expression:
        if token.kind in ("field", "dot"):
            return expressions.dot_itself
        if token.kind == "variable":
            self.parser.known(token.text)
            return expressions.variable(token.text)
        if token.kind == "string":
            return expressions.constant(_unquoted(token, self.parser))
        if token.kind == "char":
            return expressions.constant(_character(token, self.parser))
        if token.kind == "number":
            return expressions.constant(_number(token.text))
        if token.text == "(":
            self.depth += 1
            value = self.pipeline()
            if self.text() != ")":
                raise self.parser.fail("unclosed left paren")
            self.depth -= 1
            self.at += 1
            return value
        if token.kind == "word":
            return self.word(token)
        raise self.parser.fail(f"unexpected {quote(token.text)} in operand")

    def word(self, token: Token) -> Expression:
        constants = {"true": True, "false": False, "nil": None}
        if token.text in constants:
            return expressions.constant(constants[token.text])
        function = self.parser.functions.get(token.text)
        if function is None:
            raise self.parser.fail(f"function {quote(token.text)} not defined")
        return expressions.call(token.text, function, [], self.parser.name)


def _unquoted(token: Token, parser: _Parser) -> str:
    try:
        return unquote(token.text)
    except ValueError as err:
        raise parser.fail(str(err)) from None


def _character(token: Token, parser: _Parser) -> int:
    """The code of 'a', '\\n', '\\''."""
    body = token.text[1:-1].replace('"', '\\"').replace("\\'", "'")
    try:
        return ord(unquote(f'"{body}"'))
    except (ValueError, TypeError):
        raise parser.fail(f"malformed character constant: {token.text}") from None


def _number(text: str) -> int | float:
    plain = text.replace("_", "")
    try:
        return int(plain, 0) if not re.fullmatch(r"[+-]?0\d+", plain) else int(plain, 8)
    except ValueError:
        return float(plain)
