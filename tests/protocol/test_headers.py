"""Tests of HTTP's header fields."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass, verifyObject

from mosntx.contracts.message import IHeaders
from mosntx.protocol.headers import TOKEN, CheckedHeaders, Headers, checkField

NAMES = st.sampled_from([b"A", b"a", b"B", b"x-Y", b"X-y"])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from([b"1", b"2", b""])), max_size=6)


class HeadersTests(SynchronousTestCase):
    """See `Headers`."""

    def test_contract(self) -> None:
        """It is an `IHeaders`."""
        verifyClass(IHeaders, Headers)
        verifyObject(IHeaders, Headers())

    def test_reading(self) -> None:
        """Names are compared without case, order and spelling stay."""
        pairs = [(b"Host", b"a"), (b"X-A", b"1"), (b"x-a", b"2")]
        headers = Headers(pairs)
        self.assertEqual(headers.get(b"host"), b"a")
        self.assertEqual(headers.get(b"HOST"), b"a")
        self.assertEqual(headers.get(b"x-a"), b"1")
        self.assertEqual(headers.getAll(b"X-a"), [b"1", b"2"])
        self.assertEqual((headers.get(b"b"), headers.get(b"b", b"d")), (None, b"d"))
        self.assertEqual(headers.getAll(b"b"), [])
        self.assertEqual(list(headers.items()), pairs)
        self.assertFalse(headers.changed)
        self.assertTrue(b"x-A" in headers and b"b" not in headers)

    def test_set(self) -> None:
        """Setting keeps the place of the first and drops the others."""
        headers = Headers([(b"A", b"1"), (b"B", b"2"), (b"a", b"3")])
        headers.set(b"a", b"4")
        self.assertEqual(headers.items(), [(b"a", b"4"), (b"B", b"2")])
        headers.set(b"C", b"5")
        self.assertEqual(headers.items()[-1], (b"C", b"5"))
        self.assertEqual(headers.get(b"c"), b"5")
        self.assertTrue(headers.changed)

    def test_addRemove(self) -> None:
        """Adding appends, removing takes all, removing nothing changes nothing."""
        headers = Headers([(b"A", b"1")])
        headers.remove(b"b")
        self.assertFalse(headers.changed)
        headers.add(b"a", b"2")
        self.assertEqual((headers.get(b"a"), headers.getAll(b"a")), (b"1", [b"1", b"2"]))
        headers.remove(b"A")
        self.assertEqual((headers.items(), headers.get(b"a")), ([], None))
        self.assertTrue(headers.changed)

    def test_copy(self) -> None:
        """A copy is independent and remembers whether anything was changed."""
        headers = Headers([(b"A", b"1")])
        copy = headers.copy()
        copy.add(b"B", b"2")
        self.assertEqual(headers.items(), [(b"A", b"1")])
        self.assertEqual((headers.changed, copy.changed, copy.copy().changed), (False, True, True))

    def test_refused(self) -> None:
        """Names that are no tokens and values with line ends or NUL are refused everywhere."""
        headers = Headers([(b"A", b"1")])
        for name, value in (
            (b"", b"x"),
            (b"a b", b"x"),
            (b"a:", b"x"),
            (b"\xe4", b"x"),
            (b"a\r\n", b"x"),
            (b"B", b"x\r\nC: d"),
            (b"B", b"x\n"),
            (b"B", b"\r"),
            (b"B", b"\0"),
        ):
            for act in (headers.set, headers.add, checkField):
                self.assertRaises(ValueError, act, name, value)
            self.assertRaises(ValueError, Headers, [(name, value)])
        self.assertEqual((headers.items(), headers.changed), ([(b"A", b"1")], False))
        self.assertEqual(len(TOKEN), 77)

    def test_repr(self) -> None:
        """Values, which may be secret, do not show."""
        shown = repr(Headers([(b"Authorization", b"s3cret")]))
        self.assertIn("Authorization", shown)
        self.assertNotIn("s3cret", shown)

    @given(PAIRS, NAMES)
    def test_agrees(self, pairs: list[tuple[bytes, bytes]], name: bytes) -> None:
        """`get` is the first of `getAll`, which is what `items` shows."""
        headers = Headers(pairs)
        values = [value for key, value in headers.items() if key.lower() == name.lower()]
        self.assertEqual(headers.getAll(name), values)
        self.assertEqual(headers.get(name), values[0] if values else None)
        headers.set(name, b"new")
        self.assertEqual(headers.getAll(name), [b"new"])
        headers.remove(name)
        self.assertEqual(headers.getAll(name), [])


class CheckedHeadersTests(SynchronousTestCase):
    """See `CheckedHeaders`."""

    def test_without(self) -> None:
        """Some fields are left out, if they are there at all."""
        headers = CheckedHeaders([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
        self.assertIs(headers.without(frozenset([b"c"])), headers.items())
        self.assertEqual(headers.without(frozenset([b"a"])), [(b"b", b"2")])

    def test_changed(self) -> None:
        """Nobody has checked what was set since."""
        headers = CheckedHeaders([(b"a", b"1")])
        headers.set(b"a", b" 2 ")
        self.assertIs(headers.lowerPairs(), None)
        self.assertIs(headers.without(frozenset([b"a"])), None)
