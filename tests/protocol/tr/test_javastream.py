"""Tests of Java's object serialization, as far as it is walked."""

from __future__ import annotations

from time import process_time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.hessian.fields import Found
from mosntx.protocol.hessian.values import MAX_TEXT, HessianError
from mosntx.protocol.hessian.walker import MAX_CLASSES, MAX_DEPTH, MAX_FIELDS, MAX_VALUES, Wanted
from mosntx.protocol.tr.javastream import STREAM_HEADER, findFields, readText
from tests.protocol.bolt.vectors import load

WANTED: Wanted = {b"id": (0, (b"Thing",)), b"name": (0, (b"Thing",))}
SAMPLES = [vector["octets"] for vector in load("tr") if vector["name"].startswith("java-")]


def utf(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


def descriptor(
    name: bytes, *fields: bytes, flags: int = 2, annotations: bytes = b"", parent: bytes = b"p"
) -> bytes:
    """Return a class descriptor; fields are code, name and, for objects, a class."""
    octets = b"r" + utf(name) + bytes(8) + bytes([flags]) + len(fields).to_bytes(2, "big")
    return octets + b"".join(fields) + annotations + b"x" + parent


def find(content: bytes, stop: bool = False) -> Found:
    octets = b"??" + STREAM_HEADER + content
    return findFields(octets, 2, len(octets), WANTED, stop)


def seen(content: bytes) -> dict[bytes, bytes]:
    """Return what was found: texts, and the octets of numbers."""
    octets = b"??" + STREAM_HEADER + content
    found = find(content)
    assert found.end == len(octets)
    return {
        name: octets[start:end] for name, (start, end) in {**found.spans, **found.texts}.items()
    }


ID = b"J" + utf(b"id")
NAME = b"L" + utf(b"name") + b"t" + utf(b"Ljava/lang/String;")
OTHER = b"L" + utf(b"other") + b"t" + utf(b"Ljava/lang/Object;")
THING = descriptor(b"a.Thing", ID, NAME)


class WalkTests(SynchronousTestCase):
    """What can stand in a stream."""

    def test_fields(self) -> None:
        """Numbers and texts are found, null is not."""
        self.assertEqual(
            seen(b"s" + THING + bytes(7) + b"\5t" + utf(b"x"))[b"id"], bytes(7) + b"\5"
        )
        self.assertEqual(seen(b"s" + THING + bytes(8) + b"t" + utf(b"x"))[b"name"], b"x")
        self.assertEqual(set(seen(b"s" + THING + bytes(8) + b"p")), {b"id"})

    def test_textForms(self) -> None:
        """A long string, and a reference to an earlier string."""
        octets = b"s" + THING + bytes(8) + b"|" + bytes(7) + b"\2ab"
        self.assertEqual(seen(octets)[b"name"], b"ab")
        kind = descriptor(b"a.Thing", OTHER, NAME)
        # Handles: class, two names of classes, the object, then the string.
        octets = b"s" + kind + b"t" + utf(b"text") + b"q\0\x7e\0\4"
        self.assertEqual(seen(octets)[b"name"], b"text")

    def test_between(self) -> None:
        """Objects, arrays, enums, classes and own octets in front of a field are skipped."""
        kind = descriptor(b"a.Thing", OTHER, NAME)
        empty = descriptor(b"E")
        inner = descriptor(b"B", b"I" + utf(b"n"), flags=3)
        for other in (
            b"p",
            b"s" + empty,
            b"s" + inner + bytes(4) + b"w\3abc" + b"t\0\0" + b"z\0\0\0\2ab" + b"x",
            b"s" + descriptor(b"X", flags=12) + b"w\1ax",
            b"u" + descriptor(b"[I") + b"\0\0\0\2" + bytes(8),
            b"u" + descriptor(b"[La;") + b"\0\0\0\2p" + b"t\0\0",
            b"~" + descriptor(b"Color", flags=18) + b"t" + utf(b"RED"),
            b"v" + empty,
            b"s" + descriptor(b"N", b"I" + utf(b"n"), flags=0),
            b"s" + descriptor(b"C", b"Z" + utf(b"z"), parent=descriptor(b"P", ID)) + bytes(9),
            b"s" + b"}" + b"\0\0\0\1" + utf(b"Iface") + b"x" + descriptor(b"Proxy", OTHER) + b"p",
            b"s" + descriptor(b"C", annotations=b"w\2ab" + b"t\0\1x"),
        ):
            self.assertEqual(seen(b"s" + kind + other + b"t" + utf(b"me")), {b"name": b"me"}, other)

    def test_parents(self) -> None:
        """Fields of a parent come first, and count as the parent's."""
        kind = descriptor(b"Child", NAME, parent=descriptor(b"a.Thing", ID))
        self.assertEqual(seen(b"s" + kind + b"12345678" + b"t\0\1x"), {b"id": b"12345678"})

    def test_knownClass(self) -> None:
        """A class that was described before is known by its number."""
        kind = descriptor(b"a.Box", OTHER, NAME)
        octets = b"s" + kind + b"sq\0\x7e\0\0pp" + b"p"
        self.assertEqual(seen(octets), {})

    def test_stop(self) -> None:
        """When all is found, what follows is not looked at."""
        octets = b"s" + descriptor(b"a.Thing", ID, NAME, OTHER) + bytes(8) + b"t\0\1x" + b"?"
        self.assertEqual(
            (set(find(octets, True).spans), set(find(octets, True).texts)), ({b"id"}, {b"name"})
        )
        with self.assertRaises(HessianError):
            find(octets)

    def test_texts(self) -> None:
        """Java's UTF-8 becomes usual UTF-8; too long ones and a NUL are no text."""
        self.assertEqual(readText(b"\xed\xa0\xbd\xed\xb8\x80", 0, 6), "\U0001f600".encode())
        self.assertIsNone(readText(b"\xc0\x80", 0, 2))
        self.assertIsNone(readText(b"a" * (MAX_TEXT + 1), 0, MAX_TEXT + 1))


class RefusedTests(SynchronousTestCase):
    """What is broken, too large, or cannot be walked."""

    def _refused(self, content: bytes, reason: str) -> None:
        with self.assertRaisesRegex(HessianError, reason):
            find(content)

    def test_cut(self) -> None:
        """A stream of a Java writer is refused wherever it is cut."""
        for sample in SAMPLES:
            end = 14 + int.from_bytes(sample[5:9], "big")
            self.assertEqual(findFields(sample, 14, end, WANTED).end, end)
            for cut in range(14, end):
                with self.assertRaises(HessianError):
                    findFields(sample, 14, cut, WANTED)

    def test_broken(self) -> None:
        """Each break has its reason."""
        with self.assertRaisesRegex(HessianError, "no Java"):
            findFields(b"\xac\xed\0\4p", 0, 5, WANTED)
        for content, reason in (
            (b"?", "unknown tag"),
            (b"y", "unknown tag"),
            (b"q\0\x7e\0\0", "reference to nothing"),
            (b"q\0\0\0\0", "reference to nothing"),
            (b"s?", "no class"),
            (b"st\0\0", "no class"),
            (b"s" + descriptor(b"W", flags=3) + b"t\0\0" + b"vq\0\x7e\0\2", "no class"),
            (b"s" + descriptor(b"a", b"Q" + utf(b"x")), "unknown type"),
            (b"s" + descriptor(b"a", flags=4), "without marks"),
            (b"s" + descriptor(b"a.Thing", ID, ID) + bytes(16), "id is there twice"),
            (b"u" + descriptor(b"[J") + b"\x7f\xff\xff\xff" + bytes(64), "cut off"),
        ):
            self._refused(content, reason)

    def test_limits(self) -> None:
        """The limits of Hessian hold here, too."""
        box = descriptor(b"B", OTHER)
        self._refused(b"s" + box + b"sq\0\x7e\0\0" * 100, "levels")
        self._refused(b"s" + descriptor(b"W", flags=3) + b"w\0" * (MAX_VALUES + 1), "values")
        self._refused(b"s" + descriptor(b"W", flags=3) + b"p" * (MAX_VALUES + 1), "values")
        fields = [b"I" + utf(b"a")] * (MAX_FIELDS + 1)
        self._refused(b"s" + descriptor(b"F", *fields), f"a class of {MAX_FIELDS + 1}")
        many = (b"v" + descriptor(b"C")) * (MAX_CLASSES + 1)
        self._refused(b"s" + descriptor(b"W", flags=3) + many, "classes")
        self._refused(b"v" + descriptor(b"n" * (MAX_TEXT + 1)), "a name of")
        self._refused(b"v}\0\1\0\0", "interfaces")
        parent = b"p"
        for _ in range(MAX_DEPTH + 2):
            parent = descriptor(b"P", parent=parent)
        self._refused(b"s" + parent, "levels")

    def test_loop(self) -> None:
        """A class that is its own parent is refused."""
        self._refused(b"s" + descriptor(b"L", parent=b"q\0\x7e\0\0"), "levels of classes")

    def test_cost(self) -> None:
        """What is made to be expensive is refused within a fraction of a second."""
        parent = b"p"
        for _ in range(MAX_DEPTH - 1):
            parent = descriptor(b"P", parent=parent)
        fields = [b"B" + utf(b"a")] * MAX_FIELDS
        array = b"\x7f\xff\xff\xff"
        for bomb in (
            b"u" + descriptor(b"[La;") + array + b"s" + parent + b"sq\0\x7e\0\x02" * 100_000,
            b"u"
            + descriptor(b"[La;")
            + array
            + b"s"
            + descriptor(b"F", *fields)
            + bytes(1_000_000),
            b"u" + descriptor(b"[La;") + array + b"p" * 1_000_000,
            b"s" + descriptor(b"W", flags=3) + b"w\0" * 500_000,
            b"s" + descriptor(b"W", flags=3) + b"t\0\0" * 300_000,
        ):
            began = process_time()
            with self.assertRaises(HessianError):
                find(bomb)
            self.assertLess(process_time() - began, 0.5)

    @given(st.data())
    def test_changed(self, data: st.DataObject) -> None:
        """Streams with changed octets are walked or refused, and nothing else happens."""
        sample = bytearray(data.draw(st.sampled_from(SAMPLES)))
        end = 14 + int.from_bytes(sample[5:9], "big")
        for _ in range(data.draw(st.integers(1, 4))):
            sample[data.draw(st.integers(14, end - 1))] = data.draw(st.integers(0, 255))
        try:
            found = findFields(bytes(sample), 14, end, WANTED)
        except HessianError:
            return
        self.assertTrue(18 < found.end <= end)
