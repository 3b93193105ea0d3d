"""Tests of `mosntx.config.expressions.tokens`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.expressions.tokens import MAX_LENGTH, ExpressionError, tokens


def column(text: str) -> int:
    """Where an expression is wrong."""
    try:
        tokens(text)
    except ExpressionError as error:
        return error.column
    return 0


class TokensTests(SynchronousTestCase):
    """Words of expressions."""

    def test_kinds(self) -> None:
        """Names, texts with and without escapes, numbers and signs, with their columns."""
        found = [
            (token.kind, token.value, token.column) for token in tokens(r'a.b>=-7&&"\"\n" r"\d"')
        ]
        self.assertEqual(
            found,
            [
                ("name", "a", 1),
                ("sign", ".", 2),
                ("name", "b", 3),
                ("sign", ">=", 4),
                ("number", "-7", 6),
                ("sign", "&&", 8),
                ("text", '"\n', 10),
                ("text", r"\d", 17),
                ("end", "", 22),
            ],
        )

    def test_wrong(self) -> None:
        """The column is that of the character that cannot be understood."""
        for text, expected in (
            ('a == "b', 6),
            ("a = b", 3),
            ("a & b", 3),
            ("a @", 3),
            ("1.5", 1),
            ("7" * 19, 1),
            (r'"a\d"', 3),
            (" " * (MAX_LENGTH + 1), MAX_LENGTH + 1),
        ):
            self.assertEqual(column(text), expected, text)
        with self.assertRaisesRegex(ExpressionError, "^column 3 of the expression: '=' alone"):
            tokens("a = b")

    @given(st.text(max_size=60))
    def test_anything(self, text: str) -> None:
        """No text raises anything but the one error, whose column is within the text."""
        self.assertLessEqual(column(text), len(text) + 1)
