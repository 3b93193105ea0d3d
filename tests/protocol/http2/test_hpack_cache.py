"""Tests of `mosntx.protocol.http2.hpack_cache`: remembering changes nothing but the time."""

from __future__ import annotations

from typing import Any

from hpack import Decoder, Encoder, HeaderTuple, NeverIndexedHeaderTuple
from hpack.exceptions import HPACKError
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.hpack_cache import (
    MAX_BLOCK,
    MAX_BLOCKS,
    CachingDecoder,
    CachingEncoder,
)

FIELDS = st.builds(
    lambda kind, name, value: kind(name, value),
    st.sampled_from([HeaderTuple, NeverIndexedHeaderTuple]),
    st.sampled_from([b"a", b"b", b":path", b"cookie"]),
    st.sampled_from([b"", b"1", b"2", b"x" * 60]),
)
MESSAGES = st.lists(st.lists(FIELDS, max_size=5), max_size=4)


def kinds(fields: Any) -> list[Any]:
    """Return fields with what equality of tuples does not show."""
    return [(name, value, type(field)) for field in fields for name, value in [field]]


class SameTests(SynchronousTestCase):
    """Both directions, against the library's own."""

    @given(MESSAGES, st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 60, 200, 4096]))))
    def test_dialogue(self, messages: list[list[Any]], steps: list[tuple[int, int]]) -> None:
        """Messages that come again and again, with tables that grow, shrink and overflow."""
        plain, cached = Encoder(), CachingEncoder()
        reader, cachedReader = Decoder(), CachingDecoder()
        for place, size in steps:
            if size not in (4096, plain.header_table_size):  # see test_sizeSaidTwice
                plain.header_table_size = cached.header_table_size = size
            if place >= len(messages):
                continue
            for _ in range(3):
                block = plain.encode(messages[place])
                self.assertEqual(cached.encode(list(messages[place])), block)
                expected = kinds(reader.decode(block, raw=True))
                self.assertEqual(kinds(cachedReader.decode(block, raw=True)), expected)
                self.assertEqual(
                    cached.header_table.dynamic_entries, plain.header_table.dynamic_entries
                )

    def test_sizeSaidTwice(self) -> None:
        """A peer that says the size of its table twice can read what comes then."""
        encoder, decoder = CachingEncoder(), Decoder()
        for size in (0, 60):
            for _ in range(2):
                encoder.header_table_size = size
                self.assertEqual(encoder.header_table_size, size)
            block = encoder.encode([(b"a", b"")])
            self.assertEqual(block[0] & 0xE0, 0x20)  # RFC 7541 6.3
            self.assertEqual(decoder.decode(block, raw=True), [(b"a", b"")])
            self.assertEqual(decoder.header_table_size, size)

    def test_limitsHold(self) -> None:
        """A block that was fine is refused when the limit has become smaller."""
        decoder = CachingDecoder()
        block = Encoder().encode([(b":path", b"/"), (b":method", b"GET")])
        for _ in range(2):
            decoder.decode(block, raw=True)
        decoder.max_header_list_size = 10
        self.assertRaises(HPACKError, decoder.decode, block, raw=True)
        decoder.max_header_list_size = 1000
        decoder.decode(block, raw=True)
        decoder.max_allowed_table_size = 100
        self.assertRaises(HPACKError, decoder.decode, block, raw=True)

    def test_brokenStaysBroken(self) -> None:
        """A block that cannot be read cannot be read the second time, either."""
        decoder = CachingDecoder()
        for _ in range(2):
            self.assertRaises(HPACKError, decoder.decode, b"\xff\xff\xff", raw=True)

    def test_secrets(self) -> None:
        """A field that must not be indexed is not taken for one that may."""
        encoder = CachingEncoder()
        secret = {encoder.encode([NeverIndexedHeaderTuple(b"a", b"1")]) for _ in range(3)}
        self.assertEqual({block[0] & 0xF0 for block in secret}, {0x10})
        self.assertNotIn(encoder.encode([HeaderTuple(b"a", b"1")]), secret)

    def test_ownLists(self) -> None:
        """Who gets fields may change the list: the next one is a new one."""
        decoder = CachingDecoder()
        block = Encoder().encode([(b":path", b"/")])
        for _ in range(3):
            fields: Any = decoder.decode(block, raw=True)
            self.assertEqual(fields, [(b":path", b"/")])
            fields.clear()


class MemoryTests(SynchronousTestCase):
    """What is remembered has an end."""

    def test_bounds(self) -> None:
        """So many blocks, and none that is long."""
        encoder, decoder = CachingEncoder(), CachingDecoder()
        secret = NeverIndexedHeaderTuple  # such a field changes no table
        for number in range(3 * MAX_BLOCKS):
            block = encoder.encode([secret(b"a", b"%d" % number)])
            decoder.decode(block, raw=True)
        for known in (encoder._known, decoder._known):
            self.assertEqual(len(known._blocks), MAX_BLOCKS)
        decoder, encoder = CachingDecoder(), CachingEncoder()
        long = encoder.encode([secret(b"a", b"~" * MAX_BLOCK)])
        decoder.decode(long, raw=True)
        self.assertEqual((len(encoder._known._blocks), len(decoder._known._blocks)), (0, 0))
