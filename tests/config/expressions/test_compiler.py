"""Tests of `mosntx.config.expressions.compiler`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.expressions.compiler import (
    ATTRIBUTES,
    MAX_DEPTH,
    checkExpression,
    compileExpression,
)
from mosntx.config.expressions.functions import FIELDS
from mosntx.config.expressions.tokens import ExpressionError

#: A request of these tests: attribute -> value, ``attribute -> name -> value`` of a map.
REQUEST: dict[str, Any] = {
    "request.method": b"GET",
    "request.path": b"/a/b",
    "request.headers": {b"a1": b"b1", b"n": b"7"},
    "source.ip": b"10.1.2.3",
}

#: What expressions are made of.
WORDS = (
    *("true", "false", "&&", "||", "!", "==", "<", "in", "(", ")", "[", "]", "?", ":", ",", "."),
    *("'a'", "1", "request", "path", "headers", "size", "startsWith", "conditional"),
    *("request.path", "request.headers"),
)


def readers() -> dict[str, Any]:
    """Read attributes of dictionaries."""
    return {
        name: (lambda request, field, name=name: request.get(name, {}).get(field))
        if kind == FIELDS
        else (lambda request, name=name: request.get(name))
        for name, kind in ATTRIBUTES.items()
    }


def holds(text: str) -> bool:
    """Whether an expression is true for `REQUEST`."""
    return compileExpression(text, readers())(REQUEST)


class ValuesTests(SynchronousTestCase):
    """What expressions mean."""

    def check(self, true: list[str], false: list[str]) -> None:
        for text in true:
            self.assertTrue(holds(text), text)
        for text in false:
            self.assertFalse(holds(text), text)

    def test_mosn(self) -> None:
        """The expressions of MOSN's own test (scenario 46)."""
        self.check(
            [
                'conditional((request.method == "GET") && (request.path == "/a/b"),true,false)',
                'conditional((request.headers["a1"] == "b1"),true,false)',
            ],
            [
                'conditional((request.method == "POST") && (request.path == "/a/b"),true,false)',
                'conditional((request.headers["a2"] == "b1"),true,false)',
            ],
        )

    def test_comparisons(self) -> None:
        """Texts and numbers, equal and in order."""
        self.check(
            [
                "request.method != 'POST'",
                'request.path >= "/a" && request.path < "/b"',
                "size(request.path) == 4",
                "request.path.size() > -1",
                'request.method.toLower() == "get"',
                "true == !false",
            ],
            ["size(request.path) <= 3", "request.method == 'get'", "true != true"],
        )

    def test_membership(self) -> None:
        """A text in a list; the name of a header that is there."""
        self.check(
            [
                'request.method in ["GET", "HEAD"]',
                '"a1" in request.headers',
                '!("a2" in request.headers)',
            ],
            ['request.method in ["PUT"]', '"a2" in request.headers', '"x" in request.cookies'],
        )

    def test_precedence(self) -> None:
        """`!` binds closest, then comparisons, `&&`, `||` and `?:`."""
        self.check(
            [
                "true || false && false",
                "!false && true",
                "!!true",
                'request.method == "GET" && false || true',
                "false ? false : true",
                "true ? true : false ? false : false",
                "(request.method == 'PUT' ? 'a' : 'b') == 'b'",
            ],
            ["(true || false) && false", "!(true || false)", "true ? false : true"],
        )

    def test_unknown(self) -> None:
        """What a request does not have makes nothing true, unless something else decides."""
        missing = 'request.headers["x"] == "y"'
        self.check(
            [f"{missing} || true", f"true || {missing}", f"!({missing} && false)"],
            [
                missing,
                f"!({missing})",
                'request.headers["x"] != "y"',
                f"{missing} && true",
                f"{missing} || false",
                f"{missing} ? true : true",
                'request.host.startsWith("a")',
                'request.headers[request.host] == "a"',
                "request.host in ['a']",
            ],
        )

    def test_functions(self) -> None:
        """Functions in both spellings."""
        self.check(
            [
                'request.path.startsWith("/a")',
                'startsWith(request.path, "/a")',
                'request.path.matches(r"^/[a-z]/\\w$")',
                'request.path.endsWith("(") || request.path.contains("(" ) || true',
                'match(request.path, "/a*")',
                'source.ip.inNetwork("10.0.0.0/8")',
                'request.headers["N".toLower()] == "7"',
            ],
            ['request.path.endsWith("(")', 'source.ip.inNetwork("192.168.0.0/16")'],
        )


class MistakesTests(SynchronousTestCase):
    """What is refused when the file is read."""

    def test_columns(self) -> None:
        """Each mistake is reported where it is."""
        for text, column, words in (
            ("", 1, "a value is missing before the end"),
            ("true true", 6, "'true' does not belong here"),
            ("request.method", 1, "true or false is needed here, and this is text"),
            ("request.method == 1", 19, "text is needed here, and this is a number"),
            ("request.metod == 'a'", 1, "did you mean 'request.method'?"),
            ("method == 'a'", 8, "'.' is missing before '=='"),
            ("request.headers == 'a'", 20, "a map is needed here, and this is text"),
            ("request.headers == request.cookies", 17, "a map cannot be compared by =="),
            ("true < false", 6, "true or false cannot be compared by <"),
            ("request.path.startWith('a')", 14, "did you mean 'startsWith'?"),
            ("request.path.startsWith()", 14, "startsWith takes 2 arguments, not 1"),
            ("request.path.startsWith(1)", 25, "text is needed here, and this is a number"),
            ("request.path.matches(request.host)", 22, "the last argument of matches is a literal"),
            ("request.path.matches('a(')", 22, "no RE2 pattern"),
            ("source.ip.inNetwork('10.0.0.0/40')", 21, "10.0.0.0/40"),
            ("request.path in ['a', 1]", 23, "a list holds texts"),
            ("request.path in [", 18, "a list holds texts"),
            ("'a' in 'b'", 8, "a map is needed here"),
            ("1 in ['a']", 3, "text is needed here"),
            ("(true", 6, "')' is missing before the end"),
            ("request.headers['a'", 20, "']' is missing before the end"),
            ("request.path['a'] == 'b'", 1, "a map is needed here"),
            ("!request.path", 2, "true or false is needed here"),
            ("true && 'a'", 9, "true or false is needed here"),
            ("'a' || true", 1, "true or false is needed here"),
            ("true ? 'a' : 1", 14, "text is needed here"),
            ("conditional(true, true)", 1, "conditional takes 3 arguments, not 2"),
            ("true ? request.headers : request.headers", 26, "a map cannot be chosen"),
            ("size(request.path request.path)", 19, "')' is missing before 'request'"),
            ("request.path.1", 14, "a name is missing before '1'"),
        ):
            problem = checkExpression(text)
            self.assertTrue(problem.startswith(f"column {column} of the expression: "), problem)
            self.assertIn(words, problem)

    def test_depth(self) -> None:
        """Neither parentheses nor chains of calls go deeper than the limit."""
        deep = MAX_DEPTH - 1
        self.assertEqual(checkExpression("(" * deep + "true" + ")" * deep), "")
        self.assertIn("levels deep", checkExpression("(" * MAX_DEPTH + "true" + ")" * MAX_DEPTH))
        self.assertIn("levels deep", checkExpression("size('a'" + ".toLower()" * 40 + ") == 1"))
        self.assertIn("levels deep", checkExpression("(" * 4000))
        self.assertEqual(checkExpression("!" * 4000 + "true"), "")
        self.assertEqual(checkExpression(" && ".join(["true"] * 500)), "")

    @given(
        st.lists(
            st.sampled_from(WORDS),
            max_size=14,
        )
    )
    def test_anything(self, words: list[str]) -> None:
        """Any row of words is an expression or an `ExpressionError`, and evaluates."""
        text = " ".join(words)
        try:
            evaluate = compileExpression(text, readers())
        except ExpressionError:
            return
        self.assertIn(evaluate(REQUEST), (True, False))
        self.assertIs(evaluate({}) is True, evaluate({}))
