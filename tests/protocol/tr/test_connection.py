"""Tests of reading connection objects."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.hessian.values import HessianError
from mosntx.protocol.tr.connection import (
    HESSIAN1,
    HESSIAN2,
    JAVA,
    ConnectionObject,
    ConnectionReader,
    encodeId,
)
from mosntx.testing.trframes import (
    connectionRequest,
    connectionResponse,
    finalObject,
    hessianLong,
    hessianObject,
    trFrame,
)
from tests.protocol.bolt.vectors import load

IDS = st.one_of(st.integers(-300_000, 300_000), st.integers(-(1 << 63), (1 << 63) - 1))


def read(connection: bytes, reader: ConnectionReader | None = None) -> tuple[int, ConnectionObject]:
    frame = trFrame(1, connection, b"", b"behind")
    number, start, end, found = (reader or ConnectionReader()).read(frame, 14 + len(connection))
    assert frame[14 : 14 + len(connection)] == found.before + frame[start:end] + found.after
    return number, found


class ReadTests(SynchronousTestCase):
    """Ids and what is said besides."""

    @given(st.lists(st.tuples(IDS, st.booleans()), max_size=8))
    def test_sequence(self, frames: list[tuple[int, bool]]) -> None:
        """One reader tells the ids of whatever follows each other on a connection."""
        reader = ConnectionReader()
        for number, isRequest in frames:
            identifier = hessianLong(number)
            connection = (connectionRequest if isRequest else connectionResponse)(identifier)
            self.assertEqual(read(connection, reader)[0], number)

    def test_shared(self) -> None:
        """What differs in the id only is read once; anything else is read anew."""
        reader = ConnectionReader()
        first = read(connectionResponse(b"\xe1"), reader)[1]
        self.assertIs(read(connectionResponse(hessianLong(1 << 40)), reader)[1], first)
        failed = read(connectionResponse(b"\xe1", 1, b"boom"), reader)[1]
        self.assertEqual((failed.result, failed.errorText), (1, b"boom"))
        self.assertEqual(read(connectionResponse(b"\xe2"), reader)[1].result, 0)

    def test_behind(self) -> None:
        """A known beginning does not let anything pass behind the id."""
        reader = ConnectionReader()
        good = connectionRequest(b"\xe1")
        read(good, reader)
        self.assertEqual(read(good[:-3] + b"\xe2J\1", reader)[0], 2)
        for bad in (
            good + b"N",
            good[:-1],
            good[:-2],
            good[:-3],
            good[:-3] + b"NJ\0",
            good[:-2] + b"@",
        ):
            with self.assertRaises(HessianError):
                read(bad, reader)
        self.assertEqual(read(good, reader)[0], 1)

    def test_final(self) -> None:
        """The published grammar has its own octets for a long of five."""
        context = finalObject(1, b"x.RequestContext", (b"id", b"\x59\0\x10\0\0"), (b"t", b"Q\x90"))
        number, found = read(finalObject(0, b"x.ConnectionRequest", (b"ctx", context)))
        self.assertEqual((number, found.final), (1 << 20, True))

    def test_response(self) -> None:
        """Host, result and error text are texts and a number, or nothing."""
        found = read(connectionResponse(b"\xe1", 3, b"why", b"127.0.0.1:1"))[1]
        self.assertEqual((found.host, found.result, found.errorText), (b"127.0.0.1:1", 3, b"why"))
        found = read(connectionRequest(b"\xe1"))[1]
        self.assertEqual((found.host, found.result, found.errorText), (b"", 0, b""))

    def test_oddResult(self) -> None:
        """A result that is no number is no success; an error that is no text says nothing."""
        context = hessianObject(1, b"ResponseContext", (b"id", b"\xe1"))
        fields = ((b"result", b"N"), (b"errorMsg", b"R\0\0\0\0"), (b"ctx", context))
        found = read(hessianObject(0, b"ConnectionResponse", *fields))[1]
        self.assertEqual((found.result, found.errorText), (1, b""))

    def test_javaTypes(self) -> None:
        """In Java serialization an id is a long; an int, or a text of eight octets, is none."""
        good = next(v["octets"] for v in load("tr") if v["name"] == "java-req-id-1")
        end = 14 + int.from_bytes(good[5:9], "big")
        connection = good[14:end]
        self.assertEqual(ConnectionReader().read(good, end)[0], 1)
        number = connection.replace(b"J\0\2id", b"I\0\2id").replace(
            bytes(7) + b"\1q", bytes(3) + b"\1q"
        )
        kind = b"L\0\2idt" + b"\0\x12Ljava/lang/String;"
        text = connection.replace(b"J\0\2id", kind).replace(bytes(7) + b"\1q", b"t\0\x0812345678q")
        for bad, reason in ((number, "64 bits"), (text, "no request id")):
            frame = trFrame(0, bad, b"", b"", serialization=JAVA)
            with self.assertRaisesRegex(HessianError, reason):
                ConnectionReader().read(frame, len(frame))


class EncodeTests(SynchronousTestCase):
    """`encodeId`."""

    def test_forms(self) -> None:
        """Each serialization has its own form."""
        self.assertEqual(encodeId(1, HESSIAN2, False), b"\xe1")
        self.assertEqual(encodeId(1 << 20, HESSIAN2, False), b"w\0\x10\0\0")
        self.assertEqual(encodeId(1 << 20, HESSIAN2, True), b"\x59\0\x10\0\0")
        self.assertEqual(encodeId(-1, HESSIAN1, False), b"L" + b"\xff" * 8)
        self.assertEqual(encodeId(-2, JAVA, False), b"\xff" * 7 + b"\xfe")
