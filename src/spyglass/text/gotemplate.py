"""Go's text/template: parsing, and execution over plain values.

    {{.field.sub}} {{$x := 1}} {{$x}} {{f a b | g}} {{if}} {{else if}} {{with}} {{range $i, $v := .list}} {{break}} {{define "t"}}
    {{template "t" .}} {{block}} {{- trim -}} {{/* comment */}}

Values are str, int, float, bool, None (nil), list, dict (maps), and objects that offer `template_field(name)`; nothing else is
reached: no attribute of a Python object, no evaluation of text. A template is compiled to closures once and run often.
Source: Go's documentation of text/template. Templates run under limits (depth, steps, output), so none can hang a query.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spyglass.text.goformat import NO_VALUE, NoValue, format_values, print_value
from spyglass.text.gostring import quote, unquote

MAX_DEPTH = 100
"""Nesting of `template` calls."""

MAX_OUTPUT = 16 << 20
"""Characters of output."""

MAX_STEPS = 1_000_000
"""Iterations of all loops of one run together."""


class TemplateError(ValueError):
    """A template that cannot be parsed, or a run that failed; the text is shaped as Go's."""


class StringMap(dict[str, str]):
    """A map[string]string: what it does not hold is the empty string, not "no value"."""


@dataclass(slots=True)
class Run:
    """One execution. extra: what contextual functions look at (`__line__`)."""

    templates: "Mapping[str, Node]"
    root: Any
    extra: Mapping[str, Any]
    out: list[str] = field(default_factory=list)
    variables: list[tuple[str, Any]] = field(default_factory=list)
    depth: int = 0
    steps: int = 0
    written: int = 0

    def write(self, text: str) -> None:
        self.written += len(text)
        if self.written > MAX_OUTPUT:
            raise TemplateError("the output is too long")
        self.out.append(text)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TemplateError("too many iterations")


Node = Callable[[Run, Any], None]
Expression = Callable[[Run, Any], Any]
Function = Callable[..., Any]


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def contextual(function: Function) -> Function:
    """Mark a function that wants the Run as its first argument."""
    function.contextual = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. fields: the names that occur as `.name`, for callers that fetch only those."""

    name: str
    source: str
    templates: Mapping[str, Node]
    fields: frozenset[str]

    def execute(self, data: Any, extra: Mapping[str, Any] | None = None) -> str:
        """The text. Raises: TemplateError."""
        run = Run(self.templates, data, extra or {})
        run.variables.append(("$", data))
        try:
            self.templates[self.name](run, data)
        except RecursionError:
            raise TemplateError(f"template: {self.name}: exceeded maximum template depth") from None
        return "".join(run.out)


def parse_template(source: str, functions: Mapping[str, Function], *, name: str = "template") -> Template:
    """Compile. Raises: TemplateError, `template: NAME:LINE: what`."""
    parser = _Parser(source, {**BUILTINS, **functions}, name)
    try:
        body = parser.parse()
    except RecursionError:
        raise TemplateError(f"template: {name}: nested too deeply") from None
    return Template(name, source, {**parser.templates, name: body}, frozenset(parser.fields))


# --- lexing ---------------------------------------------------------------------------------------------------------------

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
class _Token:
    kind: str
    text: str
    spaced: bool
    line: int


def _pieces(source: str, fail: Callable[[str, int], TemplateError]) -> Iterator[str | list[_Token]]:
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


def _action(source: str, at: int, fail: Callable[[str, int], TemplateError]) -> tuple[list[_Token], int, bool]:
    tokens: list[_Token] = []
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
        tokens.append(_Token(kind, text, spaced, line))
        spaced = False


# --- parsing --------------------------------------------------------------------------------------------------------------

_KEYWORDS = frozenset(["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"])


class _Parser:
    """Recursive descent over pieces; makes closures as it goes."""

    def __init__(self, source: str, functions: Mapping[str, Function], name: str) -> None:
        self.functions, self.name = functions, name
        self.templates: dict[str, Node] = {}
        self.fields: set[str] = set()
        self.scope: list[str] = ["$"]
        self.line = 1
        self.loops = 0
        self.pieces = _pieces(source, self.fail_at)

    def fail_at(self, message: str, line: int) -> TemplateError:
        return TemplateError(f"template: {self.name}:{line}: {message}")

    def fail(self, message: str) -> TemplateError:
        return self.fail_at(message, self.line)

    def parse(self) -> Node:
        body, ending = self.block()
        if ending:
            raise self.fail(f"unexpected {{{{{ending[0].text}}}}}")
        return body

    def block(self) -> tuple[Node, list[_Token]]:
        """Nodes up to `end`, `else` or the end of the text; the ending action's tokens."""
        nodes: list[Node] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                if piece:
                    nodes.append(_text(piece))
                    self.line += piece.count("\n")
                continue
            if not piece:
                raise self.fail("missing value for command")
            self.line = piece[0].line
            head = piece[0].text if piece[0].kind == "word" else ""
            if head in ("end", "else"):
                return _sequence(nodes), piece
            node = self.control(head, piece[1:]) if head in _KEYWORDS else self.action(piece)
            if node is not None:
                nodes.append(node)
        return _sequence(nodes), []

    def control(self, head: str, rest: list[_Token]) -> Node | None:
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
        return _raise_break if head == "break" else _raise_continue

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

    def branch(self, head: str, rest: list[_Token]) -> Node:
        mark = len(self.scope)
        if not rest:
            raise self.fail(f"missing value for {head}")
        condition = self.pipeline(rest)
        main, other = self.body(head)
        del self.scope[mark:]
        return _with(condition, main, other) if head == "with" else _if(condition, main, other)

    def range(self, rest: list[_Token]) -> Node:
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
        return _range(source, names, main, other)

    def define(self, head: str, rest: list[_Token]) -> Node | None:
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
        return _call_template(name, argument, self.name) if head == "block" else None

    def call_template(self, rest: list[_Token]) -> Node:
        if not rest or rest[0].kind != "string":
            raise self.fail("unexpected token in template clause")
        return _call_template(_unquoted(rest[0], self), self.pipeline(rest[1:]) if len(rest) > 1 else None, self.name)

    def action(self, tokens: list[_Token]) -> Node:
        if tokens[0].kind == "variable" and len(tokens) > 1 and tokens[1].text in (":=", "="):
            name, declare = tokens[0].text, tokens[1].text == ":="
            value = self.pipeline(tokens[2:])
            if declare:
                self.scope.append(name)
                return _declare(name, value)
            self.known(name)
            return _assign(name, value)
        return _print(self.pipeline(tokens))

    def known(self, name: str) -> None:
        if name not in self.scope:
            raise self.fail(f"undefined variable {quote(name)}")

    def pipeline(self, tokens: list[_Token]) -> Expression:
        if tokens and tokens[0].kind == "variable" and len(tokens) > 1 and tokens[1].text == ":=":
            self.scope.append(tokens[0].text)
            return _declared(tokens[0].text, self.pipeline(tokens[2:]))
        reader = _Operands(self, tokens)
        value = reader.pipeline()
        if reader.at < len(tokens):
            raise self.fail(f"unexpected {quote(tokens[reader.at].text)} in operand")
        return value


class _Operands:
    """One pipeline's tokens."""

    def __init__(self, parser: _Parser, tokens: list[_Token]) -> None:
        self.parser, self.tokens, self.at = parser, tokens, 0

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
            return _call(token.text, function, arguments, self.parser.name)
        value = self.operand()
        arguments = self.arguments()
        if arguments or piped is not None:
            return _misplaced(value, token.text, self.parser.name, literal=token.kind in ("string", "number", "char"))
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
        return _fields(value, names, self.parser.name) if names else value

    def term(self, token: _Token) -> Expression:
        if token.kind in ("field", "dot"):
            return _dot
        if token.kind == "variable":
            self.parser.known(token.text)
            return _variable(token.text)
        if token.kind == "string":
            return _constant(_unquoted(token, self.parser))
        if token.kind == "char":
            return _constant(_character(token, self.parser))
        if token.kind == "number":
            return _constant(_number(token.text))
        if token.text == "(":
            value = self.pipeline()
            if self.text() != ")":
                raise self.parser.fail("unclosed left paren")
            self.at += 1
            return value
        if token.kind == "word":
            return self.word(token)
        raise self.parser.fail(f"unexpected {quote(token.text)} in operand")

    def word(self, token: _Token) -> Expression:
        constants = {"true": True, "false": False, "nil": None}
        if token.text in constants:
            return _constant(constants[token.text])
        function = self.parser.functions.get(token.text)
        if function is None:
            raise self.parser.fail(f"function {quote(token.text)} not defined")
        return _call(token.text, function, [], self.parser.name)


def _unquoted(token: _Token, parser: _Parser) -> str:
    try:
        return unquote(token.text)
    except ValueError as err:
        raise parser.fail(str(err)) from None


def _character(token: _Token, parser: _Parser) -> int:
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


# --- closures: nodes ------------------------------------------------------------------------------------------------------


def _text(text: str) -> Node:
    return lambda run, _: run.write(text)


def _sequence(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]

    def run_all(run: Run, dot: Any) -> None:
        for node in nodes:
            node(run, dot)

    return run_all


def _print(value: Expression) -> Node:
    def node(run: Run, dot: Any) -> None:
        result = value(run, dot)
        run.write(result if result.__class__ is str else print_value(result))

    return node


def _declare(name: str, value: Expression) -> Node:
    return lambda run, dot: run.variables.append((name, value(run, dot)))


def _declared(name: str, value: Expression) -> Expression:
    def expression(run: Run, dot: Any) -> Any:
        result = value(run, dot)
        run.variables.append((name, result))
        return result

    return expression


def _assign(name: str, value: Expression) -> Node:
    def node(run: Run, dot: Any) -> None:
        result = value(run, dot)
        for at in range(len(run.variables) - 1, -1, -1):
            if run.variables[at][0] == name:
                run.variables[at] = (name, result)
                return

    return node


def _if(condition: Expression, main: Node, other: Node | None) -> Node:
    def node(run: Run, dot: Any) -> None:
        mark = len(run.variables)
        if truth(condition(run, dot)):
            main(run, dot)
        elif other is not None:
            other(run, dot)
        del run.variables[mark:]

    return node


def _with(condition: Expression, main: Node, other: Node | None) -> Node:
    def node(run: Run, dot: Any) -> None:
        mark = len(run.variables)
        value = condition(run, dot)
        if truth(value):
            main(run, value)
        elif other is not None:
            other(run, dot)
        del run.variables[mark:]

    return node


def _range(source: Expression, names: list[str], main: Node, other: Node | None) -> Node:
    def node(run: Run, dot: Any) -> None:
        mark = len(run.variables)
        empty = True
        for key, value in _items(source(run, dot)):
            empty = False
            run.step()
            if len(names) == 1:
                run.variables.append((names[0], value))
            elif names:
                run.variables.extend([(names[0], key), (names[1], value)])
            try:
                main(run, value)
            except _Break:
                break
            except _Continue:
                pass
            finally:
                del run.variables[mark:]
        if empty and other is not None:
            other(run, dot)
        del run.variables[mark:]

    return node


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if value is None or isinstance(value, NoValue):
        return iter(())
    if isinstance(value, dict):
        return iter(sorted(value.items()))
    if isinstance(value, list | tuple):
        return iter(enumerate(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return ((i, i) for i in range(value))
    raise TemplateError(f"range can't iterate over {print_value(value)}")


def _call_template(name: str, argument: Expression | None, owner: str) -> Node:
    def node(run: Run, dot: Any) -> None:
        body = run.templates.get(name)
        if body is None:
            raise TemplateError(f"template: {owner}: template {quote(name)} not defined")
        if run.depth >= MAX_DEPTH:
            raise TemplateError(f"template: {owner}: exceeded maximum template depth ({MAX_DEPTH})")
        value = argument(run, dot) if argument is not None else None
        run.depth += 1
        outer, run.variables = run.variables, [("$", value)]
        body(run, value)
        run.variables = outer
        run.depth -= 1

    return node


def _raise_break(run: Run, dot: Any) -> None:  # noqa: ARG001
    raise _Break


def _raise_continue(run: Run, dot: Any) -> None:  # noqa: ARG001
    raise _Continue


# --- closures: expressions ------------------------------------------------------------------------------------------------


def _dot(run: Run, dot: Any) -> Any:  # noqa: ARG001
    return dot


def _constant(value: Any) -> Expression:
    return lambda run, dot: value  # noqa: ARG005


def _variable(name: str) -> Expression:
    def expression(run: Run, dot: Any) -> Any:  # noqa: ARG001
        for known, value in reversed(run.variables):
            if known == name:
                return value
        raise TemplateError(f"undefined variable: {name}")

    return expression


def _fields(value: Expression, names: list[str], owner: str) -> Expression:
    if len(names) == 1 and value is _dot:
        name = names[0]

        def single(run: Run, dot: Any) -> Any:  # noqa: ARG001
            return dot.get(name, "") if dot.__class__ is StringMap else field_of(dot, name, owner)

        return single

    def chain(run: Run, dot: Any) -> Any:
        result = value(run, dot)
        for name in names:
            result = field_of(result, name, owner)
        return result

    return chain


def field_of(value: Any, name: str, owner: str) -> Any:
    """`.name` of a value. Raises: TemplateError where the value can have no fields."""
    if isinstance(value, StringMap):
        return value.get(name, "")
    if isinstance(value, dict):
        return value.get(name, NO_VALUE)
    if isinstance(value, NoValue) or value is None:
        raise TemplateError(f"template: {owner}: nil data; no entry for key {quote(name)}")
    getter = getattr(type(value), "template_field", None)
    if getter is None:
        raise TemplateError(f"template: {owner}: can't evaluate field {name} in type {type_name(value)}")
    try:
        return getter(value, name)
    except ValueError as err:
        raise TemplateError(f"template: {owner}: {err}") from None


def _call(name: str, function: Function, arguments: list[Expression], owner: str) -> Expression:
    if name in ("and", "or"):
        return _short_circuit(arguments, stop=name == "or", owner=owner)
    with_run = getattr(function, "contextual", False)

    def expression(run: Run, dot: Any) -> Any:
        values = [argument(run, dot) for argument in arguments]
        try:
            return function(run, *values) if with_run else function(*values)
        except TemplateError:
            raise
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as err:
            # Functions take what they are given; a value of the wrong kind shows as a TypeError or AttributeError.
            reason = _misuse(err) if isinstance(err, TypeError | AttributeError) else str(err)
            raise TemplateError(f"template: {owner}: error calling {name}: {reason}") from None

    return expression


def _misuse(err: Exception) -> str:
    return "wrong number of args" if "positional argument" in str(err) else "wrong type for value"


def _short_circuit(arguments: list[Expression], *, stop: bool, owner: str) -> Expression:
    if not arguments:
        raise TemplateError(f"template: {owner}: wrong number of args for and/or: want at least 1 got 0")

    def expression(run: Run, dot: Any) -> Any:
        value = None
        for argument in arguments:
            value = argument(run, dot)
            if truth(value) == stop:
                return value
        return value

    return expression


def _misplaced(value: Expression, text: str, owner: str, *, literal: bool) -> Expression:
    """Arguments given to what is no function."""
    if literal:
        raise TemplateError(f"template: {owner}: can't give argument to non-function {text}")

    def expression(run: Run, dot: Any) -> Any:
        value(run, dot)
        raise TemplateError(f"template: {owner}: {text} is not a method but has arguments")

    return expression


# --- built-in functions ---------------------------------------------------------------------------------------------------


def truth(value: Any) -> bool:
    """Whether a value counts as true: not zero, nil or empty."""
    return not isinstance(value, NoValue) and bool(value)


def type_name(value: Any) -> str:
    """Go's name for a value's type, for messages."""
    names = {str: "string", bool: "bool", int: "int", float: "float64", list: "[]interface {}", tuple: "[]interface {}"}
    if isinstance(value, StringMap):
        return "map[string]string"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "nil" if value is None else names.get(type(value), type(value).__name__)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "int", float: "float"}.get(type(value), "")


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise ValueError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None or isinstance(left, NoValue) or isinstance(right, NoValue):
        return (left is None or isinstance(left, NoValue)) and (right is None or isinstance(right, NoValue))
    kind = _kind(left)
    if kind != _kind(right):
        raise ValueError("incompatible types for comparison")
    if not kind:
        raise ValueError("non-comparable type")
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    kind = _kind(left)
    if not kind or kind == "bool" or not _kind(right):
        raise ValueError("invalid type for comparison")
    if kind != _kind(right):
        raise ValueError("incompatible types for comparison")
    return bool(left < right)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list | tuple | dict):
        return len(value)
    raise ValueError(f"len of type {type_name(value)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "" if isinstance(value, StringMap) else NO_VALUE)
            continue
        if not isinstance(value, str | list | tuple):
            raise ValueError(f"can't index item of type {type_name(value)}")
        if not isinstance(key, int) or isinstance(key, bool):
            raise ValueError(f"cannot index slice/array with type {type_name(key)}")
        items: Any = value.encode() if isinstance(value, str) else value
        if not 0 <= key < len(items):
            raise ValueError(f"index out of range: {key}")
        value = items[key]
    return value


def _slice(value: Any, *bounds: int) -> Any:
    if not isinstance(value, str | list | tuple):
        raise ValueError(f"can't slice item of type {type_name(value)}")
    items: Any = value.encode() if isinstance(value, str) else value
    low = bounds[0] if bounds else 0
    high = bounds[1] if len(bounds) > 1 else len(items)
    if not 0 <= low <= high <= len(items):
        raise ValueError(f"index out of range: {max(low, high)}")
    part = items[low:high]
    return part.decode("utf-8", "replace") if isinstance(value, str) else part


def _not(value: Any) -> bool:
    return not truth(value)


def _html(*values: Any) -> str:
    text = "".join(map(print_value, values))
    for plain, escaped in (
        ("&", "&amp;"),
        ("'", "&#39;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&#34;"),
        ("\0", "\ufffd"),
    ):
        text = text.replace(plain, escaped)
    return text


_JS = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
}  # fmt: skip


def _js(*values: Any) -> str:
    text = "".join(map(print_value, values))
    return "".join(_JS.get(char) or (f"\\u{ord(char):04X}" if ord(char) < 32 else char) for char in text)


def _urlquery(*values: Any) -> str:
    return quote_query("".join(map(print_value, values)))


def quote_query(text: str) -> str:
    """Go's url.QueryEscape."""
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
    return "".join(
        chr(byte) if byte in safe else "+" if byte == 32 else f"%{byte:02X}" for byte in text.encode("utf-8", "replace")
    )


def _printed(*values: Any) -> str:
    """fmt.Sprint: spaces between operands where neither is a string."""
    parts: list[str] = []
    for i, value in enumerate(values):
        if i and not isinstance(value, str) and not isinstance(values[i - 1], str):
            parts.append(" ")
        parts.append(print_value(value))
    return "".join(parts)


def _unreached(*_: Any) -> Any:
    raise AssertionError("and/or are compiled, never called")


def _printf(template: str, *values: Any) -> str:
    return format_values(template, values)


BUILTINS: Mapping[str, Function] = {
    "and": _unreached,
    "or": _unreached,
    "not": _not,
    "eq": _eq,
    "ne": lambda left, right: not _same(left, right),
    "lt": _less,
    "le": lambda left, right: _less(left, right) or _same(left, right),
    "gt": lambda left, right: not (_less(left, right) or _same(left, right)),
    "ge": lambda left, right: not _less(left, right),
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _printed,
    "printf": _printf,
    "println": lambda *values: " ".join(map(print_value, values)) + "\n",
    "html": _html,
    "js": _js,
    "urlquery": _urlquery,
}
