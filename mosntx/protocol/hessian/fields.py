"""Where some fields of some classes stand in the octets of a value.

Sources: the Hessian 2.0 specification; for the draft, the octets that sofa-hessian 3 writes. One
table serves Hessian 1 and the draft: nothing that one of them allows means something else in the
other.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from mosntx.protocol.hessian.walker import Action, Enough, Span, Walker, Wanted


class Found:
    """What a walk has found.

    :param spans: where the values of wanted fields stand.
    :param texts: the same for fields that are texts. In Hessian these are the same, as a value has
        its type with it; where it has not, ``spans`` are numbers only.
    :param end: offset behind the value, or where the walk stopped.
    :param final: in the published grammar of Hessian 2.
    """

    __slots__ = ("end", "final", "spans", "texts")

    def __init__(
        self, spans: dict[bytes, Span], texts: dict[bytes, Span], end: int, final: bool = False
    ) -> None:
        self.spans = spans
        self.texts = texts
        self.end = end
        self.final = final


def findFields(
    data: bytes, start: int, end: int, wanted: Wanted, stop: bool = False, hessian1: bool = False
) -> Found:
    """Walk over the value at ``start`` and tell where wanted fields stand.

    :param end: offset behind the last octet that may belong to the value.
    :param stop: end the walk as soon as all wanted fields are found.
    :param hessian1: do not take the value for the published grammar of Hessian 2.
    :raises HessianError: when the octets are no Hessian, go over a limit, or hold a wanted field
        twice.
    """
    final = not hessian1 and start < end and data[start] in b"CH"
    walker = Walker(data, start, end, wanted, stop, _FINAL if final else _DRAFT)
    with suppress(Enough):
        walker.value(0)
    return Found(walker.spans, walker.spans, walker.position, final)


def _table(tags: Mapping[int, Action]) -> list[Action]:
    """Return the actions for all tags: those given, and those that all grammars share."""
    table: list[Action] = [0] * 256
    for first, last, action in (
        (0x00, 0x1F, Walker.short),
        (0x38, 0x3F, 3),
        (0x80, 0xBF, 1),
        (0xC0, 0xCF, 2),
        (0xD0, 0xD7, 3),
        (0xD8, 0xEF, 1),
        (0xF0, 0xFF, 2),
    ):
        table[first : last + 1] = [action] * (last + 1 - first)
    for tag in range(0x20, 0x30):
        table[tag] = 1 + (tag & 0x0F)
    for letter, size in ((b"F", 1), (b"N", 1), (b"T", 1), (b"D", 9), (b"I", 5), (b"L", 9)):
        table[letter[0]] = size
    table[ord("S")] = Walker.long
    table[ord("B")] = Walker.longBinary
    for tag, found in tags.items():
        table[tag] = found
    return table


_DRAFT = _table(
    {
        0x67: 1,
        0x68: 1,
        0x69: 2,
        0x6A: 3,
        0x6B: 5,
        ord("J"): 2,
        ord("K"): 3,
        ord("M"): Walker.map,
        ord("O"): Walker.define,
        ord("R"): 5,
        ord("V"): Walker.list,
        ord("X"): Walker.long,
        ord("b"): Walker.binaryChunks,
        ord("d"): 9,
        ord("o"): Walker.instance,
        ord("s"): Walker.stringChunks,
        ord("v"): Walker.shortList,
        ord("w"): 5,
    }
)

_FINAL = _table(
    dict.fromkeys(range(0x30, 0x38), Walker.middle)
    | dict.fromkeys(range(0x60, 0x70), Walker.shortInstance)
    | dict.fromkeys((*b"UVWX", *range(0x70, 0x80)), Walker.finalList)
    | dict.fromkeys((0x5B, 0x5C), 1)
    | {
        0x59: 5,
        0x5D: 2,
        0x5E: 3,
        0x5F: 5,
        ord("A"): Walker.finalBinaryChunks,
        ord("C"): Walker.finalDefine,
        ord("H"): Walker.finalUntypedMap,
        ord("J"): 9,
        ord("K"): 5,
        ord("M"): Walker.finalMap,
        ord("O"): Walker.instance,
        ord("Q"): Walker.finalReference,
        ord("R"): Walker.finalStringChunks,
    }
)
