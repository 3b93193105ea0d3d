"""Tests of single values of Hessian."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.hessian.values import (
    MAX_TEXT,
    HessianError,
    encodeFullInt,
    encodeFullLong,
    encodeInt,
    encodeLong,
    encodeString,
    readLong,
    readText,
    skipUnits,
    units,
    utf8,
)
from mosntx.testing.trframes import LONG_FORMS, hessianLong

LONGS = st.integers(-(1 << 63), (1 << 63) - 1)
INTS = st.integers(-(1 << 31), (1 << 31) - 1)
#: Both sides of each border between two forms.
EDGES = sorted(
    {
        edge
        for lowest, highest, _ in LONG_FORMS.values()
        for edge in (lowest - 1, lowest, highest, highest + 1)
        if -(1 << 63) <= edge < 1 << 63
    }
)


class LongTests(SynchronousTestCase):
    """Reading and writing of longs and ints."""

    def test_edges(self) -> None:
        """Each form is used up to its last value, in both grammars."""
        for value in EDGES:
            for final in (False, True):
                octets = encodeLong(value, final)
                self.assertEqual(octets, hessianLong(value, 0, final))
                self.assertEqual(readLong(octets, 0, len(octets), final), (value, len(octets)))

    def test_anyForm(self) -> None:
        """A long is read in longer forms than it needs, too."""
        for size in LONG_FORMS:
            for value in (-8, -1, 0, 15):
                octets = b"?" + hessianLong(value, size) + b"?"
                self.assertEqual(readLong(octets, 1, len(octets)), (value, 1 + size))

    @given(LONGS)
    def test_roundTrip(self, value: int) -> None:
        """Any long comes back, and no form of it is shorter."""
        octets = encodeLong(value)
        self.assertEqual(readLong(octets, 0, len(octets)), (value, len(octets)))
        full = encodeFullLong(value)
        self.assertEqual((len(full), readLong(full, 0, 9)), (9, (value, 9)))

    @given(INTS)
    def test_ints(self, value: int) -> None:
        """Ints are read as longs, in all their forms."""
        for octets in (encodeInt(value), encodeFullInt(value)):
            self.assertEqual(readLong(octets, 0, len(octets)), (value, len(octets)))

    def test_intForms(self) -> None:
        """Ints of each size have the octets that the grammar gives them."""
        for value, octets in (
            (-16, "80"),
            (47, "bf"),
            (48, "c830"),
            (-17, "c7ef"),
            (2047, "cfff"),
            (2048, "d40800"),
            (-262144, "d00000"),
            (262144, "4900040000"),
        ):
            self.assertEqual(encodeInt(value).hex(), octets)

    def test_cut(self) -> None:
        """A long that is not all there is refused, also when more octets lie behind its end."""
        for size in LONG_FORMS:
            octets = hessianLong(1, size)
            for end in range(size):
                with self.assertRaises(HessianError):
                    readLong(octets, 0, end)

    def test_other(self) -> None:
        """What is no integer is refused; the five octets of one grammar are none in the other."""
        for octets in (b"N", b"T", b"D" + bytes(8), b"\x011", b"\x59" + bytes(4)):
            with self.assertRaises(HessianError):
                readLong(octets, 0, len(octets))
        with self.assertRaises(HessianError):
            readLong(b"w" + bytes(4), 0, 5, True)


class TextTests(SynchronousTestCase):
    """Reading and writing of strings."""

    @given(st.text(max_size=100), st.booleans())
    def test_roundTrip(self, text: str, final: bool) -> None:
        """Any text comes back in UTF-8, whatever it is written in."""
        octets = encodeString(text, final)
        self.assertEqual(readText(octets, 0, len(octets), final), text.encode())

    def test_lengths(self) -> None:
        """Short strings have the short form; Hessian 1 has none."""
        self.assertEqual(encodeString("a" * 31)[:1], b"\x1f")
        self.assertEqual(encodeString("a" * 32)[:3], b"S\0\x20")
        self.assertEqual(encodeString(""), b"\0")
        self.assertEqual(encodeString("", hessian1=True), b"S\0\0")
        self.assertEqual(encodeString("ab", hessian1=True), b"S\0\x02ab")

    def test_units(self) -> None:
        """A supplementary character counts as two, and has twice three octets."""
        self.assertEqual(len(units("a\U0001f600")), 3)
        self.assertEqual(encodeString("\U0001f600"), b"\x02\xed\xa0\xbd\xed\xb8\x80")

    def test_chunks(self) -> None:
        """Long strings are cut into chunks; each grammar has its own tag for them."""
        text = "x" * 0x8000 + "y" * 5
        octets = encodeString(text)
        self.assertEqual((octets[:3], octets[0x8003:]), (b"s\x80\0", b"S\0\x05yyyyy"))
        self.assertEqual(encodeString(text, True)[:1], b"R")
        self.assertIsNone(readText(octets, 0, len(octets)))  # too long for a header

    def test_chunksRead(self) -> None:
        """Chunks of one string are joined, characters that need several octets included."""
        octets = b"s\0\x02\xc3\xa4bS\0\x01c"
        self.assertEqual(readText(octets, 0, len(octets)), "äbc".encode())
        self.assertEqual(readText(b"R\0\x01a\x01b", 0, 6, True), b"ab")
        self.assertEqual(readText(b"\x30\x02ab", 0, 4, True), b"ab")

    def test_other(self) -> None:
        """Null, numbers and references are no text; a chunk's tag can be a reference's."""
        for octets in (b"N", b"\x90", b"R\0\0\0\x01", b"T", b""):
            self.assertIsNone(readText(octets, 0, len(octets)))

    def test_limit(self) -> None:
        """More than the limit is no text for headers."""
        octets = b"S" + MAX_TEXT.to_bytes(2, "big") + b"a" * MAX_TEXT
        self.assertIsNone(readText(octets, 0, len(octets)))
        less = MAX_TEXT - 3
        octets = b"S" + less.to_bytes(2, "big") + b"a" * less
        self.assertEqual(readText(octets, 0, len(octets)), b"a" * less)

    def test_surrogates(self) -> None:
        """Half a pair, and what is no UTF-8 at all, is no text."""
        self.assertEqual(utf8(b"\xed\xa0\xbd\xed\xb8\x80"), "\U0001f600".encode())
        for octets in (b"\xed\xa0\xbd", b"\xff", b"\xc0\x80"):
            self.assertIsNone(utf8(octets))


class UnitTests(SynchronousTestCase):
    """`skipUnits` walks over characters without decoding them."""

    @given(st.text(alphabet=st.characters(max_codepoint=0xFFFF), max_size=80), st.text())
    def test_skip(self, text: str, more: str) -> None:
        """The end is found behind any text, whatever follows."""
        octets = text.encode("utf-8", "surrogatepass")
        behind = octets + more.encode("utf-8", "surrogatepass")
        self.assertEqual(skipUnits(behind, 0, len(behind), len(text)), len(octets))

    @given(st.binary(max_size=60), st.integers(0, 70))
    def test_anything(self, octets: bytes, count: int) -> None:
        """The end lies within the octets, or there is none."""
        try:
            end = skipUnits(octets, 0, len(octets), count)
        except HessianError:
            return
        self.assertTrue(count <= end <= len(octets))

    def test_refused(self) -> None:
        """Cut texts, octets that begin no character, and characters of four octets are refused."""
        for octets, count in (
            (b"ab", 3),
            (b"\xc3\xa4", 2),
            (b"\x80a", 2),
            (b"a\x80\x80\x80", 2),
            ("\U0001f600".encode(), 1),
            ("\U0001f600".encode(), 2),
            ("ab\U0001f600c".encode(), 4),
            (b"\xc0\x80", 1),
        ):
            with self.assertRaises(HessianError):
                skipUnits(octets, 0, len(octets), count)
