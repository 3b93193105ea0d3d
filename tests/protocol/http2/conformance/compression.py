"""RFC 7541: what may stand in a header block."""

from __future__ import annotations

from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    Case,
    answered,
    case,
    connectionError,
    fields,
)

_BLOCK = h2.fieldBlock(h2.GET)


def _right(section: str, title: str, *blocks: bytes) -> Case:
    """Requests one after another, each with one more piece of block."""
    steps = [h2.headers(2 * place + 1, _front(block), True) for place, block in enumerate(blocks)]
    return case(section, title, answered(*range(1, 2 * len(blocks), 2)), *steps)


def _front(block: bytes) -> bytes:
    """Changes of the table stand before the fields."""
    return block + _BLOCK if block[:1] and block[0] & 0xE0 == 0x20 else _BLOCK + block


def _wrong(section: str, title: str, *blocks: bytes) -> Case:
    """Requests one after another; the last cannot be decoded."""
    steps = [h2.headers(2 * place + 1, _front(block), True) for place, block in enumerate(blocks)]
    return case(section, title, connectionError(h2.COMPRESSION_ERROR), *steps)


def _exactly(section: str, title: str, block: bytes) -> Case:
    return case(section, title, connectionError(h2.COMPRESSION_ERROR), h2.headers(1, block, True))


_X = h2.indexed(b"x-test", b"1")
_PLAIN = (
    h2.fieldIndex(2)
    + h2.fieldIndex(6)
    + h2.fieldIndex(4)
    + h2.literal(1, b"example.com", first=0x40, prefix=6)
)

FIELDS = (
    case("7541 6.1", "fields of the static table", answered(), h2.headers(1, _PLAIN, True)),
    _right("7541 6.1", "a field of the dynamic table", _X, h2.fieldIndex(62)),
    case(
        "7541 6.1",
        "the field of the dynamic table is that of before",
        lambda dialogue: (
            ""
            if [event[2].headers.get(b"x-test") for event in dialogue.events] == [b"1", b"1"]
            else "it is another"
        ),
        h2.headers(1, _BLOCK + _X, True),
        h2.headers(3, _BLOCK + h2.fieldIndex(62), True),
    ),
    case(
        "7541 6.2.1",
        "for the table, a name of the table",
        fields((b"user-agent", b"me")),
        h2.headers(1, _BLOCK + h2.indexed(58, b"me"), True),
    ),
    case(
        "7541 6.2.1",
        "for the table, a new name",
        fields((b"x-test", b"1")),
        h2.headers(1, _BLOCK + _X, True),
    ),
    case(
        "7541 6.2.2",
        "not for the table, a name of the table",
        fields((b"user-agent", b"me")),
        h2.headers(1, _BLOCK + h2.literal(58, b"me"), True),
    ),
    case(
        "7541 6.2.2",
        "not for the table, a new name",
        fields((b"x-test", b"1")),
        h2.headers(1, _BLOCK + h2.literal(b"x-test", b"1"), True),
    ),
    case(
        "7541 6.2.3",
        "never for a table, a name of the table",
        fields((b"user-agent", b"me")),
        h2.headers(1, _BLOCK + h2.literal(58, b"me", first=0x10), True),
    ),
    case(
        "7541 6.2.3",
        "never for a table, a new name",
        fields((b"x-test", b"1")),
        h2.headers(1, _BLOCK + h2.literal(b"x-test", b"1", first=0x10), True),
    ),
    _wrong(
        "7541 6.2.2",
        "not for the table, then taken from it",
        h2.literal(b"x-test", b"1"),
        h2.fieldIndex(62),
    ),
    _right("7541 6.3", "the table is made smaller", h2.tableSize(128)),
    _right(
        "7541 6.3",
        "the table is made smaller and larger again",
        h2.tableSize(0) + h2.tableSize(4096),
    ),
    _right(
        "7541 6.3",
        "the table is used after its size has changed",
        h2.tableSize(128),
        _X,
        h2.fieldIndex(62),
    ),
    _wrong(
        "7541 4.3",
        "a field is gone when the table was emptied",
        _X,
        h2.tableSize(0),
        h2.fieldIndex(62),
    ),
    _wrong(
        "7541 4.4",
        "a field that is larger than the table empties it",
        _X,
        h2.indexed(b"x-big", b"a" * 5000),
        h2.fieldIndex(62),
    ),
    _wrong("7541 6.3", "the table is made larger than SETTINGS allow", h2.tableSize(4097)),
    _wrong("7541 6.3", "the table is made larger than any", h2.tableSize((1 << 32) - 1)),
    _exactly("7541 4.2", "the size of the table changes behind fields", _BLOCK + h2.tableSize(1)),
    _exactly(
        "7541 4.2",
        "the size of the table changes between fields",
        _BLOCK[:9] + _BLOCK[9:] + h2.tableSize(1) + h2.literal(b"a", b"b"),
    ),
)

INDEXES = (
    _wrong("7541 2.3.3", "an index over both tables", h2.fieldIndex(62)),
    _wrong("7541 2.3.3", "a literal's name has an index over both tables", h2.literal(70, b"x")),
    _wrong(
        "7541 2.3.3", "a literal for the table has a name over both tables", h2.indexed(70, b"x")
    ),
    _wrong("7541 2.3.3", "an index over a table in use", _X, h2.fieldIndex(63)),
    _wrong("7541 6.1", "the index 0", b"\x80"),
    _wrong("7541 5.1", "an integer without end", b"\xff" + b"\xff" * 20),
    _wrong("7541 5.1", "an integer of more than 32 bits", b"\xff" + b"\xff\xff\xff\xff\xff\x7f"),
    _wrong("7541 5.1", "an integer that breaks off", b"\xff\x80"),
)

STRINGS = (
    case(
        "7541 5.2",
        "strings in Huffman's code",
        fields((b"x-test", b"a value")),
        h2.headers(1, _BLOCK + h2.literal(b"x-test", b"a value", huffman=True), True),
    ),
    case(
        "7541 5.2",
        "an empty string in Huffman's code",
        fields((b"x-test", b"")),
        h2.headers(1, _BLOCK + h2.literal(b"x-test", b"")[:-1] + b"\x80", True),
    ),
    case(
        "7541 5.2",
        "a string cut by CONTINUATION",
        fields((b"x-test", b"a value")),
        h2.headers(1, _BLOCK + h2.literal(b"x-test", b"a value")[:-3], True, whole=False),
        h2.continuation(1, b"lue"),
    ),
    # "0" is 00000: three more bits of ones end the octet; eight and more are an error
    _wrong(
        "7541 5.2", "padding of more than 7 bits", h2.literal(b"x-test", b"")[:-1] + b"\x82\x07\xff"
    ),
    _wrong("7541 5.2", "padding of zeroes", h2.literal(b"x-test", b"")[:-1] + b"\x81\x00"),
    _wrong(
        "7541 5.2", "EOS in a string", h2.literal(b"x-test", b"")[:-1] + b"\x84\xff\xff\xff\xff"
    ),
    _wrong(
        "7541 5.2",
        "EOS between characters",
        h2.literal(b"x-test", b"")[:-1] + b"\x85\x07\xff\xff\xff\xe0",
    ),
    _wrong(
        "7541 5.2",
        "a string longer than its block",
        h2.literal(b"x-test", b"")[:-1] + b"\x7e" + b"abc",
    ),
    _wrong("7541 5.2", "a name longer than its block", b"\x00\x7e" + b"abc"),
)

CASES = FIELDS + INDEXES + STRINGS
