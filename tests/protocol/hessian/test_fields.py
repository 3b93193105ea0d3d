"""Tests of finding fields, in all three grammars."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.hessian.fields import Found, findFields
from mosntx.protocol.hessian.values import HessianError, readText
from mosntx.protocol.hessian.walker import Wanted
from mosntx.testing.trframes import finalObject, hessianObject, hessianText

#: A field of the outer object, one of an object inside.
WANTED: Wanted = {b"name": (0, (b".Order",)), b"city": (1, (b"Address", b"Place"))}


def find(octets: bytes, stop: bool = False, hessian1: bool = False) -> Found:
    """Look for both fields between other octets."""
    around = b"\xff\xff" + octets + b"\xff"
    return findFields(around, 2, len(around) - 1, WANTED, stop, hessian1)


def texts(octets: bytes, found: Found) -> dict[bytes, bytes | None]:
    return {
        name: readText(b"\xff\xff" + octets, *span, found.final)
        for name, span in found.spans.items()
    }


class ObjectTests(SynchronousTestCase):
    """Objects that are what is looked for, and such as are not."""

    def test_draft(self) -> None:
        """``O`` and ``o``: fields are found at both levels, wherever they stand."""
        place = hessianObject(1, b"a.Place", (b"zip", b"\x90"), (b"city", b"\x02NY"))
        order = hessianObject(0, b"a.Order", (b"at", place), (b"name", b"\x01x"), (b"n", b"N"))
        found = find(order)
        self.assertEqual(texts(order, found), {b"city": b"NY", b"name": b"x"})
        self.assertEqual((found.end, found.final), (2 + len(order), False))

    def test_final(self) -> None:
        """``C`` and 0x60, and ``O`` with a number behind it."""
        for short in (True, False):
            fields = ((b"zip", b"\x90"), (b"city", b"\x02NY"))
            place = finalObject(1, b"a.Place", *fields, short=short)
            fields = ((b"at", place), (b"name", b"\x01x"))
            octets = finalObject(0, b"a.Order", *fields, short=short)
            found = find(octets)
            self.assertEqual(texts(octets, found), {b"city": b"NY", b"name": b"x"})
            self.assertEqual((found.end, found.final), (2 + len(octets), True))

    def test_hessian1(self) -> None:
        """Typed maps are objects; maps without a type, and other types, are none."""
        place = b"Mt\0\7a.PlaceS\0\4cityS\0\2NYz"
        order = b"Mt\0\7a.OrderS\0\4nameS\0\1xS\0\2at" + place + b"z"
        self.assertEqual(texts(order, find(order, False, True)), {b"city": b"NY", b"name": b"x"})
        for other in (b"M" + order[11:], order.replace(b"a.Order", b"a.Other")):
            self.assertEqual(set(find(other, False, True).spans), {b"city"})

    def test_typeReference(self) -> None:
        """A type that was named before is known by its number."""
        place = b"Mu\x90\x04city\x02NYz"
        order = b"Mt\0\7a.Place\2at" + place + b"z"
        self.assertEqual(texts(order, find(order)), {b"city": b"NY"})

    def test_levels(self) -> None:
        """The same class at another level is not what is looked for."""
        order = hessianObject(1, b"a.Order", (b"name", b"\x01x"), (b"city", b"\x01y"))
        outer = hessianObject(0, b"a.Place", (b"city", b"\x01z"), (b"at", order))
        self.assertEqual(find(outer).spans, {})

    def test_twice(self) -> None:
        """A field that could be meant twice is refused: peers would not agree which counts."""
        place = hessianObject(1, b"a.Place", (b"city", b"\x01x"))
        outer = hessianObject(0, b"a.Order", (b"a", place), (b"b", b"o\x91\x01y"))
        with self.assertRaisesRegex(HessianError, "city is there twice"):
            find(outer)

    def test_stop(self) -> None:
        """When all is found, what follows is not looked at."""
        place = hessianObject(1, b"a.Place", (b"city", b"\x02NY"))
        order = hessianObject(0, b"a.Order", (b"name", b"\x01x"), (b"at", place), (b"n", b"@"))
        self.assertEqual(texts(order, find(order, True)), {b"city": b"NY", b"name": b"x"})
        with self.assertRaisesRegex(HessianError, "unknown tag"):
            find(order)

    def test_noText(self) -> None:
        """Fields that hold something else are found as well: who asks looks at the value."""
        order = hessianObject(0, b"a.Order", (b"name", b"N"))
        self.assertEqual(texts(order, find(order)), {b"name": None})


class AnyTests(SynchronousTestCase):
    """Octets that nobody has made on purpose."""

    @given(st.binary(max_size=80), st.booleans())
    def test_anything(self, octets: bytes, hessian1: bool) -> None:
        """A walk ends within its octets or refuses them."""
        try:
            found = find(octets, False, hessian1)
        except HessianError as error:
            self.assertTrue(str(error).isprintable())
        else:
            self.assertTrue(2 < found.end <= 2 + len(octets))

    @given(st.data())
    def test_changed(self, data: st.DataObject) -> None:
        """The same for objects that have been changed a little."""
        place = hessianObject(1, b"a.Place", (b"city", hessianText(b"N" * 40)), (b"a", b"Vz"))
        order = bytearray(hessianObject(0, b"a.Order", (b"at", place), (b"name", b"\x01x")))
        for _ in range(data.draw(st.integers(1, 4))):
            order[data.draw(st.integers(0, len(order) - 1))] = data.draw(st.integers(0, 255))
        try:
            found = find(bytes(order))
        except HessianError:
            return
        for start, end in found.spans.values():
            self.assertTrue(2 < start < end <= 2 + len(order))
