"""Expressions over requests, compiled by recursive descent into nested functions.

The subset of CEL that MOSN's routes use (MOSN pkg/cel, google/cel-spec langdef.md)::

    expression = or [ "?" expression ":" expression ]
    or         = and { "||" and }
    and        = relation { "&&" relation }
    relation   = unary [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" ) unary ]
    unary      = { "!" } postfix
    postfix    = primary { "." name "(" arguments ")" | "[" expression "]" }
    primary    = text | number | "true" | "false" | attribute | name "(" arguments ")"
               | "(" expression ")" | "[" text { "," text } "]"
    attribute  = name "." name

Kinds are checked when the text is read. At run time the logic has three values, as CEL's errors
have it: what a request does not have makes a comparison neither true nor false, ``true || unknown``
is true, ``false && unknown`` is false, everything else with an unknown is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from mosntx.config.expressions.functions import (
    FIELDS,
    FLAG,
    FUNCTIONS,
    NUMBER,
    TEXT,
    TEXTS,
    Evaluate,
    Value,
)
from mosntx.config.expressions.tokens import END, NAME, SIGN, ExpressionError, Token, tokens
from mosntx.config.expressions.tokens import NUMBER as NUMBER_TOKEN
from mosntx.config.expressions.tokens import TEXT as TEXT_TOKEN
from mosntx.config.report import suggest

MAX_DEPTH: Final = 32
"""Levels of nesting: an expression must not exhaust Python's stack, now or at a request."""

ATTRIBUTES: Final[Mapping[str, str]] = {
    "api.operation": TEXT,
    "api.service": TEXT,
    "context.protocol": TEXT,
    "request.cookies": FIELDS,
    "request.headers": FIELDS,
    "request.host": TEXT,
    "request.method": TEXT,
    "request.path": TEXT,
    "request.query": TEXT,
    "request.query_params": FIELDS,
    "request.referer": TEXT,
    "request.scheme": TEXT,
    "request.url_path": TEXT,
    "request.useragent": TEXT,
    "source.address": TEXT,
    "source.ip": TEXT,
}
"""What an expression may ask of a request -> its kind. Who compiles brings the readers."""

Readers = Mapping[str, Callable[..., Any]]
_Bool = bool | None

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compileExpression(text: str, readers: Readers) -> Callable[[Any], bool]:
    """Return what says whether an expression is true for a request.

    :param readers: for each of `ATTRIBUTES`: ``(request) -> value``, of a map
        ``(request, name) -> value``; ``None`` is a value that the request does not have.
    :raises ExpressionError: when the text is no expression, or is none of true and false.
    """
    parser = _Parser(tokens(text), readers)
    value = parser.whole()
    evaluate = value.evaluate

    def holds(request: Any) -> bool:
        return evaluate(request) is True

    return holds


def checkExpression(text: str) -> str:
    """Return what is wrong with an expression, ``""`` for nothing."""
    try:
        compileExpression(text, dict.fromkeys(ATTRIBUTES, lambda *_: None))
    except ExpressionError as error:
        return str(error)
    return ""


def _constant(kind: str, literal: Any) -> Value:
    return Value(kind, lambda request: literal, literal)


class _Parser:
    """One walk over the tokens; each method reads the rule of its name."""

    def __init__(self, found: list[Token], readers: Readers) -> None:
        self._tokens = found
        self._place = 0
        self._depth = 0
        self._readers = readers

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _advance(self) -> Token:
        token = self._next
        self._place += token.kind != END
        return token

    def _accept(self, *signs: str) -> Token | None:
        token = self._next
        return self._advance() if token.kind == SIGN and token.value in signs else None

    def _expect(self, sign: str) -> None:
        if self._accept(sign) is None:
            raise ExpressionError(
                self._next.column, f"{sign!r} is missing before {self._next.shown}"
            )

    def _need(self, kind: str, value: Value, column: int) -> Value:
        if value.kind != kind:
            raise ExpressionError(column, f"{kind} is needed here, and this is {value.kind}")
        return value

    def _made(self, kind: str, evaluate: Evaluate, *parts: Value) -> Value:
        """A value made from others. Each asks its parts: that must not become too deep, either."""
        depth = 1 + max(part.depth for part in parts)
        if depth > MAX_DEPTH:
            self._tooDeep()
        return Value(kind, evaluate, depth=depth)

    def _tooDeep(self) -> NoReturn:
        raise ExpressionError(self._next.column, f"it is nested more than {MAX_DEPTH} levels deep")

    def whole(self) -> Value:
        """The expression and nothing behind it."""
        value = self._need(FLAG, self._expression(), 1)
        if self._next.kind != END:
            raise ExpressionError(self._next.column, f"{self._next.shown} does not belong here")
        return value

    def _expression(self) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._tooDeep()
        column = self._next.column
        value = self._or()
        if self._accept("?"):
            self._need(FLAG, value, column)
            yes = self._expression()
            self._expect(":")
            at = self._next.column
            value = self._choice(value, yes, self._expression(), at)
        self._depth -= 1
        return value

    def _choice(self, condition: Value, yes: Value, no: Value, column: int) -> Value:
        if yes.kind in (FIELDS, TEXTS):
            raise ExpressionError(column, f"{yes.kind} cannot be chosen")
        self._need(yes.kind, no, column)
        test, first, second = condition.evaluate, yes.evaluate, no.evaluate

        def evaluate(request: Any) -> Any:
            known = test(request)
            return None if known is None else (first if known else second)(request)

        return self._made(yes.kind, evaluate, condition, yes, no)

    def _or(self) -> Value:
        return self._joined("||", self._and, True)

    def _and(self) -> Value:
        return self._joined("&&", self._relation, False)

    def _joined(self, sign: str, part: Callable[[], Value], decides: bool) -> Value:
        """:param decides: the value of one part that is the value of the whole."""
        column = self._next.column
        first = part()
        if self._next.kind != SIGN or self._next.value != sign:
            return first
        parts = [self._need(FLAG, first, column)]
        while self._accept(sign):
            column = self._next.column
            parts.append(self._need(FLAG, part(), column))
        evaluate = _logic(tuple(part.evaluate for part in parts), decides)
        return self._made(FLAG, evaluate, *parts)

    def _relation(self) -> Value:
        left = self._unary()
        token = self._next
        if token.kind == NAME and token.value == "in":
            self._advance()
            return self._membership(left, token)
        if self._accept(*_COMPARISONS) is None:
            return left
        column = self._next.column
        right = self._need(left.kind, self._unary(), column)
        ordered = token.value not in ("==", "!=")
        if left.kind in (FIELDS, TEXTS) or (ordered and left.kind == FLAG):
            raise ExpressionError(token.column, f"{left.kind} cannot be compared by {token.value}")
        evaluate = _compared(_COMPARISONS[token.value], left.evaluate, right.evaluate)
        return self._made(FLAG, evaluate, left, right)

    def _membership(self, left: Value, token: Token) -> Value:
        self._need(TEXT, left, token.column)
        column = self._next.column
        right = self._unary()
        read, inside = left.evaluate, right.evaluate
        if right.kind == TEXTS:
            known = right.literal

            def listed(request: Any) -> _Bool:
                found = read(request)
                return None if found is None else found in known

            return self._made(FLAG, listed, left)
        self._need(FIELDS, right, column)

        def present(request: Any) -> _Bool:
            name = read(request)
            return None if name is None else inside(request, name) is not None

        return self._made(FLAG, present, left)

    def _unary(self) -> Value:
        odd = signs = False
        while self._accept("!"):
            odd, signs = not odd, True
        column = self._next.column
        value = self._postfix()
        if signs:
            self._need(FLAG, value, column)
        return self._made(FLAG, _negated(value.evaluate), value) if odd else value

    def _postfix(self) -> Value:
        column = self._next.column
        value = self._primary()
        while sign := self._accept(".", "["):
            if sign.value == ".":
                name = self._name()
                value = self._call(name, [(value, column)])
                continue
            self._need(FIELDS, value, column)
            at = self._next.column
            key = self._need(TEXT, self._expression(), at)
            self._expect("]")
            value = self._made(TEXT, _indexed(value.evaluate, key.evaluate), key)
        return value

    def _name(self) -> Token:
        token = self._advance()
        if token.kind != NAME:
            raise ExpressionError(token.column, f"a name is missing before {token.shown}")
        return token

    def _primary(self) -> Value:
        token = self._advance()
        if token.kind == TEXT_TOKEN:
            return _constant(TEXT, token.value.encode("utf-8"))
        if token.kind == NUMBER_TOKEN:
            return _constant(NUMBER, int(token.value))
        if token.kind == NAME:
            return self._named(token)
        if token.kind == SIGN and token.value == "(":
            value = self._expression()
            self._expect(")")
            return value
        if token.kind == SIGN and token.value == "[":
            return self._list()
        raise ExpressionError(token.column, f"a value is missing before {token.shown}")

    def _list(self) -> Value:
        found = set()
        while True:
            token = self._advance()
            if token.kind != TEXT_TOKEN:
                raise ExpressionError(token.column, "a list holds texts in quotes, and only them")
            found.add(token.value.encode("utf-8"))
            if not self._accept(","):
                break
        self._expect("]")
        return _constant(TEXTS, frozenset(found))

    def _named(self, token: Token) -> Value:
        if token.value in ("true", "false"):
            return _constant(FLAG, token.value == "true")
        if self._next.kind == SIGN and self._next.value == "(":
            return self._call(token, [])
        self._expect(".")
        name = f"{token.value}.{self._name().value}"
        if name not in ATTRIBUTES:
            fix = suggest(name, ATTRIBUTES)
            raise ExpressionError(
                token.column, f"requests have no {name!r}" + (f": {fix}" if fix else "")
            )
        return Value(ATTRIBUTES[name], self._readers[name])

    def _call(self, name: Token, given: list[tuple[Value, int]]) -> Value:
        """A function; ``given`` is what was before a dot, with the columns."""
        self._expect("(")
        if not self._accept(")"):
            given.append(self._argument())
            while self._accept(","):
                given.append(self._argument())
            self._expect(")")
        if name.value == "conditional":
            return self._conditional(name, given)
        function = FUNCTIONS.get(name.value)
        if function is None:
            fix = suggest(name.value, FUNCTIONS)
            message = f"there is no function {name.value!r}"
            raise ExpressionError(name.column, message + (f": {fix}" if fix else ""))
        if len(given) != len(function.takes):
            message = f"{name.value} takes {len(function.takes)} arguments, not {len(given)}"
            raise ExpressionError(name.column, message)
        for kind, (value, column) in zip(function.takes, given, strict=True):
            self._need(kind, value, column)
        values = [value for value, _ in given]
        last, column = given[-1]
        if function.fixed and last.literal is None:
            raise ExpressionError(column, f"the last argument of {name.value} is a literal")
        try:
            evaluate = function.make(*values)
        except ValueError as error:
            raise ExpressionError(column, str(error)) from None
        return self._made(function.gives, evaluate, *values)

    def _argument(self) -> tuple[Value, int]:
        column = self._next.column
        return self._expression(), column

    def _conditional(self, name: Token, given: list[tuple[Value, int]]) -> Value:
        if len(given) != 3:
            raise ExpressionError(name.column, f"conditional takes 3 arguments, not {len(given)}")
        (condition, column), (yes, _), (no, at) = given
        return self._choice(self._need(FLAG, condition, column), yes, no, at)


def _logic(parts: tuple[Evaluate, ...], decides: bool) -> Evaluate:
    def evaluate(request: Any) -> _Bool:
        result: _Bool = not decides
        for part in parts:
            known: _Bool = part(request)
            if known is decides:
                return decides
            if known is None:
                result = None
        return result

    return evaluate


def _compared(compare: Callable[[Any, Any], bool], left: Evaluate, right: Evaluate) -> Evaluate:
    def evaluate(request: Any) -> _Bool:
        first, second = left(request), right(request)
        if first is None or second is None:
            return None
        result: bool = compare(first, second)
        return result

    return evaluate


def _negated(part: Evaluate) -> Evaluate:
    def evaluate(request: Any) -> _Bool:
        known = part(request)
        return None if known is None else not known

    return evaluate


def _indexed(fields: Callable[..., Any], key: Evaluate) -> Evaluate:
    def evaluate(request: Any) -> Any:
        name = key(request)
        return None if name is None else fields(request, name)

    return evaluate
