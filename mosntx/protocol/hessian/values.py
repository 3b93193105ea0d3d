"""Single values of Hessian: longs and texts read, longs, ints and strings written.

All numbers are big-endian. The forms of a long (both grammars but for the five-octet one):

======================  ==================================  ======
range                   octets                              length
======================  ==================================  ======
-8 .. 15                0xe0 + value                        1
-2048 .. 2047           0xf8 + (value >> 8), 1 octet        2
-2**18 .. 2**18 - 1     0x3c + (value >> 16), 2 octets      3
-2**31 .. 2**31 - 1     0x77 (final: 0x59), 4 octets        5
else                    ``L``, 8 octets                     9
======================  ==================================  ======
"""

from __future__ import annotations

import re
from itertools import pairwise

#: Octets that `readText` looks at; more than any header value may have.
MAX_TEXT = 8192

#: Characters of a string chunk that we write: Java's writers cut there, and readers have a buffer
#: of that size.
_CHUNK = 0x8000

_CONTINUATION = bytes(range(0x80, 0xC0))
#: What may follow the first octet of a character of up to three octets.
_TAIL = re.compile(rb"[\x80-\xbf]{0,2}(?![\x80-\xbf])")


class HessianError(ValueError):
    """Octets are no Hessian, or go over a limit. The text holds no octets of the peer."""


def _longForms() -> dict[int, tuple[int, int]]:
    """Return for each tag of an int or long: octets behind it, and what the tag adds to them."""
    forms = {tag: (0, tag - 0xE0) for tag in range(0xD8, 0xF0)}
    forms |= {tag: (1, (tag - 0xF8) << 8) for tag in range(0xF0, 0x100)}
    forms |= {tag: (2, (tag - 0x3C) << 16) for tag in range(0x38, 0x40)}
    forms |= {tag: (0, tag - 0x90) for tag in range(0x80, 0xC0)}
    forms |= {tag: (1, (tag - 0xC8) << 8) for tag in range(0xC0, 0xD0)}
    forms |= {tag: (2, (tag - 0xD4) << 16) for tag in range(0xD0, 0xD8)}
    return forms


_SHORT_FORMS = _longForms()
_FULL_FORMS = {ord("I"): 4, ord("L"): 8}


def readLong(data: bytes, start: int, end: int, final: bool = False) -> tuple[int, int]:
    """Read a long, or an int, in any form: ``(value, offset behind it)``.

    :param final: of the published grammar; the five-octet long has another tag there.
    :raises HessianError: when there is something else, or it is cut off.
    """
    if start >= end:
        raise HessianError("the value is cut off")
    tag = data[start]
    start += 1
    form = _SHORT_FORMS.get(tag)
    if form is not None:
        size, base = form
        after = start + size
        if after <= end:
            return base + int.from_bytes(data[start:after], "big"), after
    else:
        size = 4 if tag == (0x59 if final else 0x77) else _FULL_FORMS.get(tag, 0)
        if not size:
            raise HessianError("no integer where one is needed")
        after = start + size
        if after <= end:
            return int.from_bytes(data[start:after], "big", signed=True), after
    raise HessianError("the value is cut off")


def encodeLong(value: int, final: bool = False) -> bytes:
    """Return a long in its shortest form, as Java's writers do.

    :param value: of 64 bits with sign.
    :param final: in the published grammar.
    """
    if -8 <= value <= 15:
        return bytes((0xE0 + value,))
    if -0x800 <= value <= 0x7FF:
        return bytes((0xF8 + (value >> 8), value & 0xFF))
    if -0x40000 <= value <= 0x3FFFF:
        return bytes((0x3C + (value >> 16), (value >> 8) & 0xFF, value & 0xFF))
    if -0x80000000 <= value <= 0x7FFFFFFF:
        return (b"\x59" if final else b"\x77") + value.to_bytes(4, "big", signed=True)
    return encodeFullLong(value)


def encodeFullLong(value: int) -> bytes:
    """Return a long in nine octets, which is the only form of Hessian 1."""
    return b"L" + value.to_bytes(8, "big", signed=True)


def encodeInt(value: int) -> bytes:
    """Return an int in its shortest form.

    :param value: of 32 bits with sign.
    """
    if -16 <= value <= 47:
        return bytes((0x90 + value,))
    if -0x800 <= value <= 0x7FF:
        return bytes((0xC8 + (value >> 8), value & 0xFF))
    if -0x40000 <= value <= 0x3FFFF:
        return bytes((0xD4 + (value >> 16), (value >> 8) & 0xFF, value & 0xFF))
    return encodeFullInt(value)


def encodeFullInt(value: int) -> bytes:
    """Return an int in five octets, which is the only form of Hessian 1."""
    return b"I" + value.to_bytes(4, "big", signed=True)


def units(text: str) -> str:
    """Return ``text`` as UTF-16 units, of which Hessian and Java count the lengths."""
    if text.isascii():
        return text
    octets = text.encode("utf-16-be", "surrogatepass")
    return "".join([chr((octets[at] << 8) | octets[at + 1]) for at in range(0, len(octets), 2)])


def encodeString(text: str, final: bool = False, hessian1: bool = False) -> bytes:
    """Return a string value, in the short form when it has one.

    :param final: in the published grammar.
    :param hessian1: in Hessian 1, which has no short form.
    """
    text = units(text)
    if len(text) < 32 and not hessian1:
        return bytes((len(text),)) + _octets(text)
    cuts = [*range(0, len(text), _CHUNK), len(text)] if text else [0, 0]
    parts = [text[start:end] for start, end in pairwise(cuts)]
    more = b"R" if final else b"s"
    tags = [more] * (len(parts) - 1) + [b"S"]
    return b"".join(
        [
            tag + len(part).to_bytes(2, "big") + _octets(part)
            for tag, part in zip(tags, parts, strict=True)
        ]
    )


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def skipUnits(data: bytes, start: int, end: int, count: int) -> int:
    """Return the offset behind ``count`` UTF-16 units, each written in one to three octets.

    :raises HessianError: when they are cut off or no such text.
    """
    after = start + count
    if after > end:
        raise HessianError("a string is cut off")
    part = data[start:after]
    if part.isascii():
        return after
    position = start
    while count:
        # As many octets as units are left cannot be too many; each begins at most one of them.
        part = data[position : position + count]
        count -= len(part.translate(None, _CONTINUATION))
        tail = _TAIL.match(data, position + len(part), end)
        if not part or tail is None:
            raise HessianError("a string is cut off or no UTF-8")
        position = tail.end()
    _checkText(data[start:position])
    return position


def _checkText(octets: bytes) -> None:
    """Refuse what is no UTF-8, but for surrogates, and characters of four octets.

    Of the latter nobody could tell whether they were counted once or twice.
    """
    try:
        octets.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise HessianError("a string is no UTF-8") from None
    if max(octets) >= 0xF0:
        raise HessianError("a string has characters of four octets")


def readText(data: bytes, start: int, end: int, final: bool = False) -> bytes | None:
    """Return the string value between two offsets, which a walk has found, in UTF-8.

    :param final: in the published grammar.
    :returns: ``None`` when there is something else than a string, null for example, when it is no
        text, or has more than `MAX_TEXT` octets.
    """
    longTags = b"SR" if final else b"Ss"  # ``R`` is a reference in the draft
    if not 0 < end - start <= MAX_TEXT:
        return None
    parts = []
    while start < end:
        tag = data[start]
        if tag in longTags:
            count = int.from_bytes(data[start + 1 : start + 3], "big")
            start += 3
        elif final and 0x30 <= tag < 0x34:
            count = ((tag & 3) << 8) + data[start + 1]
            start += 2
        elif tag < 0x20:
            count = tag
            start += 1
        else:
            return None
        after = skipUnits(data, start, end, count)
        parts.append(data[start:after])
        start = after
    return utf8(b"".join(parts))


def utf8(octets: bytes) -> bytes | None:
    """Return text in UTF-8 of which supplementary characters came as two surrogates (CESU-8).

    :returns: ``None`` when it is no text.
    """
    if octets.isascii():
        return octets
    try:
        text = octets.decode("utf-8", "surrogatepass")
        if b"\xed" in octets:
            text = text.encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    except UnicodeDecodeError:
        return None
    return text.encode("utf-8")
