"""Tests of header maps."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass, verifyObject

from mosntx.contracts.message import IHeaders
from mosntx.protocol.bolt.simplemap import (
    SimpleMapHeaders,
    findService,
    readPairs,
    writePairs,
)
from mosntx.protocol.errors import EncodeError
from mosntx.testing.frames import simpleMap

TEXTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"service", b"sofa_head_target_service", b"\0\0\0\7service\0\0\0\1x"]),
)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=8)
NULLABLE = st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=8)


def service(octets: bytes) -> bytes | None:
    return findService(b"head" + octets + b"content", 4, 4 + len(octets))


class FindServiceTests(SynchronousTestCase):
    """See `findService`."""

    def test_names(self) -> None:
        """``service`` comes before ``sofa_head_target_service``, wherever they stand."""
        first = (b"service", b"a")
        second = (b"sofa_head_target_service", b"b")
        other = (b"sofa_head_method_name", b"c")
        for pairs, expected in (
            ([], b""),
            ([other], b""),
            ([first], b"a"),
            ([second], b"b"),
            ([first, second, other], b"a"),
            ([other, second, first], b"a"),
            ([(b"service", b""), second], b"b"),
            ([(b"serVice", b"x"), other], b""),
            ([(b"services", b"x")], b""),
        ):
            self.assertEqual(service(simpleMap(pairs)), expected, pairs)

    def test_lastWins(self) -> None:
        """Of repeated keys the last counts, as in the maps of receivers."""
        pairs = [(b"service", b"a"), (b"x", b"y"), (b"service", b"b")]
        self.assertEqual(service(simpleMap(pairs)), b"b")
        self.assertEqual(SimpleMapHeaders(pairs).get(b"service"), b"b")

    def test_notInside(self) -> None:
        """A value that holds the octets of a pair is no pair: nobody is routed by a trace id."""
        inner = simpleMap([(b"service", b"evil")])
        self.assertEqual(service(simpleMap([(b"trace", inner)])), b"")
        self.assertEqual(service(simpleMap([(b"service", b"good"), (b"trace", inner)])), b"good")

    def test_nulls(self) -> None:
        """Nulls are skipped, whatever negative length says so."""
        nulls = [(None, b"x"), (b"service", None), (None, None), (b"service", b"a")]
        self.assertEqual(service(simpleMap(nulls)), b"a")
        self.assertEqual(service(simpleMap([(b"service", b"a"), (b"service", None)])), b"a")
        octets = simpleMap([(b"x", None)]).replace(b"\xff\xff\xff\xff", b"\x80\0\0\0")
        self.assertEqual(service(octets + simpleMap([(b"service", b"a")])), b"a")

    def test_broken(self) -> None:
        """A map that does not end with a pair says nothing."""
        good = simpleMap([(b"service", b"a"), (b"b", b"cd")])
        for size in range(1, len(good)):
            if size == len(simpleMap([(b"service", b"a")])):
                continue
            octets = good[:size]
            self.assertIsNone(findService(octets, 0, size), size)
            # The same with a content behind it that would go on well.
            self.assertIsNone(findService(good + good, 0, size), size)
            self.assertIsNone(readPairs(good + good, 0, size), size)
        for stray in (b"\0", b"\0\0\1", b"\0\0\0\1", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff"):
            self.assertIsNone(service(good + stray))

    @given(NULLABLE)
    def test_model(self, pairs: list[tuple[bytes | None, bytes | None]]) -> None:
        """It agrees with a dictionary of all pairs."""
        index = {name: value for name, value in pairs if name is not None and value is not None}
        expected = index.get(b"service") or index.get(b"sofa_head_target_service") or b""
        self.assertEqual(service(simpleMap(pairs)), expected)

    @given(st.binary(max_size=60))
    def test_anything(self, octets: bytes) -> None:
        """Any octets are a map or broken, and all readers agree which."""
        pairs = readPairs(octets, 0, len(octets))
        found = findService(octets, 0, len(octets))
        self.assertEqual(pairs is None, found is None)
        headers = SimpleMapHeaders.inside(octets, 0, len(octets))
        self.assertEqual(list(headers.items()), pairs or [])
        self.assertEqual(headers.broken, pairs is None)


class PairsTests(SynchronousTestCase):
    """See `readPairs` and `writePairs`."""

    @given(PAIRS)
    def test_roundTrip(self, pairs: list[tuple[bytes, bytes]]) -> None:
        """Any pairs survive, in their order."""
        octets = writePairs(pairs)
        self.assertEqual(octets, simpleMap(pairs))
        self.assertEqual(readPairs(octets, 0, len(octets)), pairs)

    def test_nulls(self) -> None:
        """Pairs with a null are left out."""
        octets = simpleMap([(b"a", None), (None, b"b"), (b"", b"")])
        self.assertEqual(readPairs(octets, 0, len(octets)), [(b"", b"")])

    def test_tooMany(self) -> None:
        """65535 octets are the most."""
        self.assertEqual(len(writePairs([(b"a", b"b" * (65535 - 9))])), 65535)
        with self.assertRaises(EncodeError):
            writePairs([(b"a", b"b" * (65535 - 8))])


class HeadersTests(SynchronousTestCase):
    """See `SimpleMapHeaders`."""

    def test_contract(self) -> None:
        """It is an `IHeaders`."""
        verifyClass(IHeaders, SimpleMapHeaders)
        verifyObject(IHeaders, SimpleMapHeaders())

    def test_reading(self) -> None:
        """Names are compared as they are; reading changes nothing."""
        pairs = [(b"Service", b"a"), (b"service", b"b"), (b"x", b"")]
        octets = simpleMap(pairs)
        headers = SimpleMapHeaders.inside(b"head" + octets, 4, 4 + len(octets))
        self.assertEqual(headers.get(b"service"), b"b")
        self.assertEqual(headers.get(b"SERVICE"), None)
        self.assertEqual(headers.get(b"y", b"d"), b"d")
        self.assertEqual(headers.getAll(b"Service"), [b"a"])
        self.assertEqual(headers.items(), pairs)
        self.assertTrue(b"x" in headers and b"X" not in headers)
        self.assertFalse(headers.changed)
        self.assertEqual(headers.octets(), octets)

    def test_changing(self) -> None:
        """Setting keeps the place, adding appends, removing takes all."""
        headers = SimpleMapHeaders([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
        headers.remove(b"c")
        self.assertFalse(headers.changed)
        headers.set(b"a", b"4")
        self.assertEqual(headers.items(), [(b"a", b"4"), (b"b", b"2")])
        self.assertEqual(headers.get(b"a"), b"4")
        headers.set(b"A", b"5")
        headers.add(b"b", b"6")
        self.assertEqual(headers.getAll(b"b"), [b"2", b"6"])
        headers.remove(b"b")
        self.assertEqual(headers.items(), [(b"a", b"4"), (b"A", b"5")])
        self.assertTrue(headers.changed)
        self.assertEqual(headers.octets(), simpleMap([(b"a", b"4"), (b"A", b"5")]))

    def test_copy(self) -> None:
        """A copy is independent."""
        headers = SimpleMapHeaders([(b"a", b"1")])
        other = headers.copy()
        other.set(b"a", b"2")
        self.assertEqual((headers.get(b"a"), other.get(b"a")), (b"1", b"2"))
        self.assertFalse(headers.changed)

    def test_refused(self) -> None:
        """What could break another protocol is not added; what the wire has is shown."""
        headers = SimpleMapHeaders([(b"a\r\n", b"\0")])
        self.assertEqual(headers.get(b"a\r\n"), b"\0")
        for name, value in ((b"a", b"b\n"), (b"a", b"\rb"), (b"a\0", b"b")):
            self.assertRaises(ValueError, headers.set, name, value)
            self.assertRaises(ValueError, headers.add, name, value)
        self.assertFalse(headers.changed)

    def test_broken(self) -> None:
        """A broken map has no fields, is left alone, and cannot be written once changed."""
        octets = struct.pack(">i", 200) + b"x"
        headers = SimpleMapHeaders.inside(octets, 0, len(octets))
        self.assertEqual((headers.items(), headers.get(b"x")), ([], None))
        self.assertTrue(headers.broken and not headers.changed)
        self.assertTrue(headers.copy().broken)
        headers.set(b"a", b"b")
        self.assertRaises(EncodeError, headers.octets)

    def test_repr(self) -> None:
        """Names are shown, values are not."""
        self.assertEqual(repr(SimpleMapHeaders([(b"a", b"s3cret")])), "<SimpleMapHeaders a>")
