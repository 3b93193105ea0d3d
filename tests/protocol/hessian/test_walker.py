"""Tests of the walk: every kind of value, every limit, and what bombs cost."""

from __future__ import annotations

import tracemalloc
from time import process_time

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.hessian.fields import findFields
from mosntx.protocol.hessian.values import MAX_TEXT, HessianError
from mosntx.protocol.hessian.walker import MAX_CLASSES, MAX_DEPTH, MAX_FIELDS, MAX_VALUES

#: Values of the draft, and of Hessian 1.
DRAFT = (
    *(
        b"\0",
        b"\x03abc",
        b"\x01\xc3\xa4",
        b"S\0\x02ab",
        b"s\0\x01a\x01b",
        b"s\0\0S\0\x01a",
        b"X\0\0",
    ),
    *(b"\x20", b"\x23\xff\xff\xff", b"B\0\x02\xff\xff", b"b\0\x01\xff\x21\xff", b"b\0\0B\0\0"),
    *(b"N", b"T", b"F", b"\x80", b"\xbf", b"\xc8\0", b"\xd4\0\0", b"I\0\0\0\0"),
    *(b"\xd8", b"\xef", b"\xf8\0", b"\x3c\0\0", b"w\0\0\0\0", b"L" + bytes(8)),
    *(b"D" + bytes(8), b"\x67", b"\x68", b"\x69\0", b"\x6a\0\0", b"\x6b\0\0\0\0", b"d" + bytes(8)),
    *(b"J\0", b"K\0\0", b"R\0\0\0\0"),
    *(b"Mz", b"M\x01aNz", b"Mt\0\1xz", b"MNNTFz", b"MMzVzz"),
    *(b"Vz", b"Vt\0\1xz", b"Vn\x01Nz", b"Vt\0\1xl\0\0\0\x01Nz", b"VNNz"),
    *(b"VVt\0\1xzv\x90\x92NTz", b"O\x91x\x90o\x90", b"O\x91x\x91\x01ao\x90N"),
)
#: Values of the published grammar, behind a definition that tells it.
FINAL = (
    *(b"\x60", b"O\x90", b"C\x01y\x91\x01a\x61N", b"\x30\x02ab", b"S\0\x02ab", b"R\0\x01a\x01b"),
    *(b"R\0\0\x30\x01a", b"A\0\x01\xff\x21\xff", b"A\0\x01\xff\x34\x01\xff", b"\x34\x02\xff\xff"),
    *(b"B\0\x01\xff", b"J" + bytes(8), b"K\0\0\0\0", b"\x59\0\0\0\0", b"Q\x90"),
    *(b"\x5b", b"\x5c", b"\x5d\0", b"\x5e\0\0", b"\x5f\0\0\0\0"),
    *(b"HZ", b"HNNZ", b"M\x01xZ", b"HM\x01xZM\x90ZZ", b"M\x01xNNZ"),
    *(b"U\x01xZ", b"U\x01xNNZ", b"V\x01x\x92NN", b"WNZ", b"X\x91N", b"\x71\x01xN", b"\x7aNT"),
    *(b"\x70\x01x", b"\x78"),
)
FINAL_START = b"C\x01x\x90"


def walk(octets: bytes) -> int:
    """Walk over one value and return the offset behind it."""
    return findFields(octets, 0, len(octets), {}).end


class ValueTests(SynchronousTestCase):
    """All kinds of values."""

    def test_draft(self) -> None:
        """Each value ends where it ends, whatever follows."""
        for octets in DRAFT:
            self.assertEqual(walk(octets + b"NNz"), len(octets), octets)

    def test_final(self) -> None:
        """The same in the published grammar."""
        for octets in FINAL:
            whole = FINAL_START + octets
            self.assertEqual(walk(whole + b"NNZ"), len(whole), octets)

    def test_cut(self) -> None:
        """A value that is not all there is refused, at whatever octet it is cut."""
        for whole in (*DRAFT, *(FINAL_START + octets for octets in FINAL)):
            for size in range(len(whole)):
                with self.assertRaises(HessianError):
                    walk(whole[:size])

    def test_unknown(self) -> None:
        """Tags that the grammar does not have are refused."""
        for tag in (*range(0x30, 0x38), *b"@ACEGHPQUWYZ[\\]^_`afglmnprtuxyz{|}~\x7f"):
            if tag not in b"CHg":
                with self.assertRaises(HessianError):
                    walk(bytes([tag]) + bytes(20))
        for tag in b"@EGPYabdijkmowvz":
            if tag != ord("Y") and not 0x60 <= tag < 0x70:
                with self.assertRaises(HessianError):
                    walk(b"H" + bytes([tag]) + bytes(20))

    def test_numbers(self) -> None:
        """Classes and types that were not defined are refused, and counts below 0."""
        for octets in (
            *(
                b"o\x90",
                b"O\x91x\x90o\x91",
                b"o\x8f",
                b"Mu\x90z",
                b"v\x90\x90",
                b"O\x8f",
                b"O\x91x\x8f",
            ),
            *(b"C\x01x\x90\x61", b"C\x01x\x90M\x90Z", b"C\x90", b"O\x91x\x91N", b"oN"),
        ):
            with self.assertRaises(HessianError):
                walk(octets)

    def test_listLength(self) -> None:
        """A list that claims more values than there are octets is refused."""
        with self.assertRaisesRegex(HessianError, "list"):
            walk(b"Vl\x7f\xff\xff\xffNNz")

    def test_openChunks(self) -> None:
        """A string in parts ends with a string, a binary value with a binary value."""
        for octets in (b"s\0\x01aN", b"s\0\x01a\x21a", b"b\0\x01a\x01a", b"Hs\0\x01aN"):
            with self.assertRaises(HessianError):
                walk(octets)


class LimitTests(SynchronousTestCase):
    """Each limit holds, and one less passes."""

    def _limit(self, most: bytes, over: bytes, reason: str) -> None:
        self.assertEqual(walk(most), len(most))
        with self.assertRaisesRegex(HessianError, reason):
            walk(over)

    def test_depth(self) -> None:
        """Nesting of lists, maps and objects."""
        for start, end in ((b"V", b"z"), (b"MN", b"z")):
            most, over = MAX_DEPTH, MAX_DEPTH + 1
            octets = [start * count + b"Vz" + end * count for count in (most, over)]
            self._limit(octets[0], octets[1], "levels")

    def test_values(self) -> None:
        """Values of one list."""
        self._limit(
            b"V" + b"N" * (MAX_VALUES - 1) + b"z", b"V" + b"N" * MAX_VALUES + b"z", "values"
        )

    def test_chunks(self) -> None:
        """Parts of one string, even when they are empty."""
        parts = b"s\0\0" * (MAX_VALUES - 2)
        self._limit(parts + b"\0", parts + b"s\0\0s\0\0\0", "values")

    def test_classes(self) -> None:
        """Definitions of classes, one behind the other."""
        definitions = b"O\x91x\x90" * MAX_CLASSES
        self._limit(definitions + b"N", definitions + b"O\x91x\x90N", "classes")

    def test_fields(self) -> None:
        """Fields of one class."""
        octets = [
            b"O\x91x" + bytes([0xC8 + (count >> 8), count & 0xFF]) + b"\x01a" * count + b"N"
            for count in (MAX_FIELDS, MAX_FIELDS + 1)
        ]
        self._limit(octets[0], octets[1], "fields")

    def test_names(self) -> None:
        """Octets of a class name, also when they are not there at all."""
        octets = [
            b"OI" + count.to_bytes(4, "big") + b"x" * count + b"\x90N"
            for count in (MAX_TEXT, MAX_TEXT + 1)
        ]
        self._limit(octets[0], octets[1], "name")
        name = b"S" + MAX_TEXT.to_bytes(2, "big") + b"x" * MAX_TEXT
        with self.assertRaisesRegex(HessianError, "no text of up to"):
            walk(b"C" + name + b"\x90N")
        with self.assertRaisesRegex(HessianError, "name of 2147483647"):
            walk(b"OI\x7f\xff\xff\xffabc")


class BombTests(SynchronousTestCase):
    """What is made to be expensive costs little time and memory."""

    BOMBS = (
        b"V" * 1_000_000,
        b"MN" * 500_000,
        b"O\x91x\x90" * 250_000,
        b"O\x91x\x91\x01ao\x90" + b"o\x90" * 500_000,
        b"s\0\0" * 300_000,
        b"b\0\0" * 300_000,
        b"V" + b"J\0" * 500_000 + b"z",
        b"V" + b"N" * 1_000_000,
        b"Vn\xff" * 300_000,
        b"Mt\0\1x" * 200_000,
        b"v" * 1_000_000,
        b"H" * 1_000_000,
        b"C\x01x\x90" * 250_000,
        b"HR\0\0" + b"R\0\0" * 300_000,
        b"S\xff\xff" + b"\x80" * 200_000,
        b"S\xff\xff" + b"\xc3" * 65535,
        b"S\xff\xff" + b"a" * 65534 + b"\x80" * 200_000,
        b"S\xff\xff" + b"".join(b"\xe4" + b"\x80" * size for size in range(600, 0, -1)),
    )

    def test_cost(self) -> None:
        """Each is refused within a fraction of a second, and keeps next to nothing."""
        for bomb in self.BOMBS:
            tracemalloc.start()
            began = process_time()
            with self.assertRaises(HessianError):
                walk(bomb)
            took = process_time() - began
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            self.assertLess(took, 1.0, bomb[:8])
            self.assertLess(most, 1 << 20, bomb[:8])
