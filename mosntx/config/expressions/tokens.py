"""From the text of an expression to its tokens (a subset of CEL's, google/cel-spec langdef.md)."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

MAX_LENGTH: Final = 4096
"""Characters of an expression: what somebody could still read."""

NAME: Final = "name"
TEXT: Final = "text"
NUMBER: Final = "number"
SIGN: Final = "sign"
END: Final = "end"

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+)
  | (?P<raw>r"[^"\n]*"|r'[^'\n]*')
  | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
  | (?P<number>-?[0-9]{1,18}(?![0-9A-Za-z_.]))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>==|!=|<=|>=|&&|\|\||[<>!?:.,()\[\]])
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}


class ExpressionError(ValueError):
    """An expression that cannot be understood.

    :ivar column: where in the expression, from 1.
    """

    def __init__(self, column: int, message: str) -> None:
        self.column = column
        super().__init__(f"column {column} of the expression: {message}")


@frozen
class Token:
    """A word of an expression.

    :ivar kind: `NAME`, `TEXT`, `NUMBER`, `SIGN` or `END`.
    :ivar value: a name or a sign as written; a literal without quotes and escapes.
    :ivar column: of its first character, from 1.
    """

    kind: str
    value: str
    column: int

    @property
    def shown(self) -> str:
        """The token for messages."""
        return "the end" if self.kind == END else repr(self.value)


def tokens(text: str) -> list[Token]:
    """Return the tokens of an expression; the last one is `END`.

    :raises ExpressionError: for what is no token, and when the text is too long.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(MAX_LENGTH + 1, f"it has more than {MAX_LENGTH} characters")
    found = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ExpressionError(place + 1, _complaint(text[place]))
        kind = match.lastgroup or ""
        if kind != "blank":
            found.append(_token(kind, match[0], place + 1))
        place = match.end()
    found.append(Token(END, "", len(text) + 1))
    return found


def _complaint(character: str) -> str:
    if character in "\"'":
        return "the text that begins here has no end"
    if character.isdigit() or character == "-":
        return "only whole numbers of up to 18 digits are understood"
    if character in "=&|":
        return f"{character!r} alone means nothing: write {character * 2!r}"
    return f"{character!r} means nothing here"


def _token(kind: str, written: str, column: int) -> Token:
    if kind == "raw":
        return Token(TEXT, written[2:-1], column)
    if kind == TEXT:
        return Token(TEXT, _unescaped(written[1:-1], column + 1), column)
    return Token(kind, written, column)


def _unescaped(inner: str, column: int) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPED:
            allowed = r"\\ \" \' \n \r \t"
            raise ExpressionError(
                column + match.start(),
                f'{match[0]!r} is none of {allowed}; r"…" is text without escapes',
            )
        return _ESCAPED[match[1]]

    return _ESCAPE.sub(replace, inner)
