"""Tests of field blocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from mosntx.contracts.message import IHeaders
from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.fields import FieldParser, WireHeaders, splitBlock

BLOCK = b"\r\nHost: a\r\nX-A:1\r\nConnection: keep-alive\r\nB: \t2 \r\n\r\n"


def parse(block: bytes = BLOCK, limit: int = 10) -> WireHeaders:
    """Parse a block with a fresh parser."""
    return FieldParser(400, 431).parse(block, limit)


class ParserTests(SynchronousTestCase):
    """See `FieldParser`."""

    def test_fields(self) -> None:
        """Fields come in order, without the space around values."""
        headers = parse()
        self.assertEqual(
            headers.items(),
            [(b"Host", b"a"), (b"X-A", b"1"), (b"Connection", b"keep-alive"), (b"B", b"2")],
        )
        self.assertEqual((headers.get(b"b"), headers.get(b"X-a")), (b"2", b"1"))
        self.assertEqual((headers.wire, headers.changed, headers.unique), (BLOCK, False, True))

    def test_none(self) -> None:
        """A block without fields has none."""
        headers = parse(b"\r\n\r\n")
        self.assertEqual((headers.items(), headers.index, splitBlock(b"\r\n\r\n")), ([], {}, []))

    def test_repeated(self) -> None:
        """Repeated names keep all values; the first is the one that is found."""
        headers = parse(b"\r\nA: 1\r\na: 2\r\nA: 3\r\nC: 4 \r\n\r\n")
        self.assertEqual((headers.get(b"a"), headers.getAll(b"A")), (b"1", [b"1", b"2", b"3"]))
        self.assertEqual((headers.joined(b"a"), headers.joined(b"c")), (b"1,2,3", b"4"))
        self.assertFalse(headers.unique)
        for name in (b"Host", b"Transfer-Encoding"):
            with self.assertRaises(ProtocolError) as caught:
                parse(b"\r\n%b: a\r\nB: c\r\n%b: a\r\n\r\n" % (name, name.lower()))
            self.assertEqual(caught.exception.status, 400)

    def test_refused(self) -> None:
        """Errors carry the status given, and the parser works again afterwards."""
        parser = FieldParser(502, 503)
        for block in (b"\r\nA : b\r\n\r\n", b"\r\n b\r\n\r\n", b"\r\nA: \x01\r\n\r\n"):
            with self.assertRaises(ProtocolError) as caught:
                parser.parse(block, 10)
            self.assertEqual(caught.exception.status, 502)
            self.assertEqual(parser.parse(b"\r\nA: b\r\n\r\n", 1).items(), [(b"A", b"b")])
        with self.assertRaises(LimitError) as limited:
            parser.parse(b"\r\nA: b\r\nC: d\r\n\r\n", 1)
        self.assertEqual(limited.exception.status, 503)

    def test_alwaysChecked(self) -> None:
        """No block, good or bad, lets one behind it pass unchecked."""
        parser = FieldParser(400, 431)
        bad = (b"\r\n\x81\r\nA: b\r\n\r\n", b"\r\nA: b\nC: d\r\nC: d\r\n\r\n")
        for field in (
            b"Connection: close",
            b"Connection: a, Close\r\nContent-Length: 5",
            b"Proxy-Connection: close",
            b"Connection: close\r\nTransfer-Encoding: chunked",
            b"Connection: close, upgrade\r\nUpgrade: x",
            b"Connection: upgrade\r\nUpgrade: x",
            b"Transfer-Encoding: gzip",
            b"Content-Length: 5",
            b"A: b\r\nA: c",
        ):
            for block in bad:
                parser.parse(b"\r\n" + field + b"\r\n\r\n", 9)
                with self.assertRaises(ProtocolError):
                    parser.parse(block, 9)
            self.assertEqual(parser.parse(b"\r\nA: b\r\n\r\n", 9).items(), [(b"A", b"b")])

    @given(st.lists(st.sampled_from([BLOCK[i : i + 1] for i in range(len(BLOCK))]), max_size=40))
    def test_anything(self, octets: list[bytes]) -> None:
        """A block is refused, or its fields are what plain splitting finds."""
        block = b"\r\n" + b"".join(octets).replace(b"\r\n\r\n", b"") + b"\r\n\r\n"
        block = block[: block.find(b"\r\n\r\n") + 4]
        try:
            headers = parse(block, 100)
        except ProtocolError:
            return
        lines = block[2:-4].split(b"\r\n") if len(block) > 4 else []
        self.assertEqual(len(headers.items()), len(lines))
        for (name, value), line in zip(headers.items(), lines, strict=True):
            self.assertTrue(line.startswith(name + b":"))
            self.assertEqual(line[len(name) + 1 :].strip(), value)
            self.assertFalse(set(b"\r\n\0") & set(name + value))


class WireHeadersTests(SynchronousTestCase):
    """See `WireHeaders`."""

    def test_contract(self) -> None:
        """It is an `IHeaders`; changes show, the octets stay as they came."""
        verifyClass(IHeaders, WireHeaders)
        headers = parse()
        headers.set(b"host", b"b")
        self.assertTrue(headers.changed)
        self.assertEqual((headers.get(b"host"), headers.items()[0]), (b"b", (b"host", b"b")))

    def test_forget(self) -> None:
        """Forgotten fields were never there, however they were spelled."""
        headers = parse(b"\r\nA: x\r\nX-a: A: y\r\na:z\r\nB: c\r\nC:\r\n\r\n")
        headers.forget([b"a", b"c", b"absent"])
        self.assertEqual(headers.wire, b"\r\nX-a: A: y\r\nB: c\r\n\r\n")
        self.assertEqual(headers.items(), [(b"X-a", b"A: y"), (b"B", b"c")])
        self.assertEqual((headers.get(b"a"), headers.changed), (None, False))

    def test_cut(self) -> None:
        """The quick way takes one field in its usual spelling, and nothing else."""
        line = b"\r\nConnection: keep-alive\r\n"
        headers = parse()
        self.assertTrue(headers.cut(b"connection", line))
        self.assertEqual(headers.wire, BLOCK.replace(line, b"\r\n"))
        self.assertIsNone(headers.get(b"connection"))
        for block in (
            b"\r\nconnection: keep-alive\r\n\r\n",
            b"\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
            b"\r\nConnection:  keep-alive\r\n\r\n",
        ):
            headers = parse(block)
            self.assertFalse(headers.cut(b"connection", line))
            self.assertEqual(headers.wire, block)

    def test_rewrite(self) -> None:
        """A rewritten field has always had its new value."""
        headers = parse()
        headers.rewrite(b"host", b"b")
        self.assertEqual((headers.get(b"host"), headers.changed), (b"b", False))
        self.assertTrue(headers.wire.startswith(b"\r\nHost: b\r\nX-A: 1\r\n"))

    def test_add(self) -> None:
        """A usual field that is added belongs to the octets; the order stays."""
        for block in (BLOCK, b"\r\n\r\n"):
            headers, slow = parse(block), Headers(parse(block).items())
            self.assertIsNotNone(headers.items())
            for each in (headers, slow):
                each.add(b"X-B", b"1 2")
                each.set(b"X-C", b"")
                each.set(b"X-D", b"4")
            self.assertEqual(headers.items(), slow.items())
            self.assertEqual((headers.get(b"x-b"), headers.changed), (b"1 2", False))
            self.assertEqual(headers.wire, block[:-2] + b"X-B: 1 2\r\nX-C: \r\nX-D: 4\r\n\r\n")
            again = parse(headers.wire)
            self.assertEqual((again.items(), again.index), (headers.items(), headers.index))
            headers.set(b"x-b", b"3")
            headers.add(b"X-E", b"5")
            self.assertEqual((headers.getAll(b"X-B"), headers.changed), ([b"3"], True))
            self.assertEqual(headers.items()[-1], (b"X-E", b"5"))

    def test_addUnusual(self) -> None:
        """What frames a message, repeats a name or has space around it is written anew."""
        for name, value in (
            (b"Transfer-Encoding", b"chunked"),
            (b"content-length", b"1"),
            (b"Connection", b"close"),
            (b"x-a", b"2"),
            (b"X-B", b" 1"),
            (b"X-B", b"1\t"),
        ):
            headers = parse()
            headers.add(name, value)
            self.assertEqual((headers.changed, headers.wire), (True, BLOCK))
            self.assertEqual(headers.items()[-1], (name, value))

    def test_addForged(self) -> None:
        """Nothing gets into the octets that would begin another field or message."""
        for name, value in ((b"X", b"1\r\nY: 2"), (b"X", b"\0."), (b"X: 1\r\nY", b"2"), (b"", b"")):
            headers = parse()
            self.assertRaises(ValueError, headers.add, name, value)
            self.assertRaises(ValueError, headers.set, name, value)
            self.assertEqual((headers.wire, len(headers.items())), (BLOCK, 4))

    def test_copy(self) -> None:
        """Copies keep their octets as long as these hold."""
        headers = parse(b"\r\nA: 1\r\nA: 2\r\n\r\n")
        copy = headers.copy()
        copy.remove(b"a")
        self.assertEqual((headers.items(), copy.items()), ([(b"A", b"1"), (b"A", b"2")], []))
        self.assertEqual((headers.changed, copy.changed), (False, True))
        self.assertEqual((copy.copy().items(), copy.copy().changed), ([], True))
        self.assertIsInstance(headers.copy(), WireHeaders)


class SeenTests(SynchronousTestCase):
    """Blocks that come again."""

    BLOCK = b"\r\nHost: a\r\nX: 1\r\n\r\n"

    def setUp(self) -> None:
        self.parser = FieldParser(400, 431)

    def test_again(self) -> None:
        """It reads as it did, whatever became of the fields of the first one."""
        first = self.parser.parse(self.BLOCK, 5, True)
        first.forget([b"x"])
        first.set(b"host", b"b")
        second = self.parser.parse(self.BLOCK, 5, True)
        self.assertEqual(second.index, {b"host": b"a", b"x": b"1"})
        self.assertEqual((second.wire, second.changed), (self.BLOCK, False))
        second.forget([b"host"])
        self.assertIn(b"host", self.parser.parse(self.BLOCK, 5, True).index)

    def test_shared(self) -> None:
        """Blocks that are the same share their look-up until one of them loses a field."""
        first, second, third = (self.parser.parse(self.BLOCK, 5, True) for _ in range(3))
        self.assertIs(first.index, second.index)
        first.forget([b"x"])
        second.rewrite(b"host", b"b")
        copy = third.copy()
        self.assertTrue(third.cut(b"x", b"\r\nX: 1\r\n"))
        self.assertEqual((first.index, third.index), ({b"host": b"a"}, {b"host": b"a"}))
        self.assertEqual(second.index, {b"host": b"b", b"x": b"1"})
        for headers in (copy, self.parser.parse(self.BLOCK, 5, True)):
            self.assertEqual((headers.get(b"host"), headers.get(b"x")), (b"a", b"1"))
            self.assertEqual(headers.items(), [(b"Host", b"a"), (b"X", b"1")])

    def test_addedFieldsStayWithTheirRequest(self) -> None:
        """A field that a filter gives one request is not seen by the next with the same octets."""
        for change in (WireHeaders.add, WireHeaders.set):
            first, second = (self.parser.parse(self.BLOCK, 5, True) for _ in range(2))
            copy = first.copy()
            change(first, b"x-user", b"alice")
            self.assertEqual(first.get(b"x-user"), b"alice")
            for headers in (second, copy, self.parser.parse(self.BLOCK, 5, True)):
                assert isinstance(headers, WireHeaders)
                self.assertIsNone(headers.get(b"x-user"))
                self.assertEqual(headers.wire, self.BLOCK)

    def test_keepAlive(self) -> None:
        """In HTTP/1.1 it says nothing and is dropped, each time; in HTTP/1.0 it is an option."""
        block = b"\r\nHost: a\r\nConnection: keep-alive\r\nX: 1\r\n\r\n"
        for _ in range(2):
            headers = self.parser.parse(block, 5, True)
            self.assertEqual((headers.wire, headers.changed), (self.BLOCK, False))
            self.assertEqual(headers.index, {b"host": b"a", b"x": b"1"})
            self.assertEqual(self.parser.parse(block, 5).get(b"connection"), b"keep-alive")
        for value in (b"close", b"Keep-Alive", b"keep-alive, x"):
            headers = self.parser.parse(block.replace(b"keep-alive", value), 5, True)
            self.assertEqual(headers.get(b"connection"), value)

    def test_stillLimited(self) -> None:
        """What was good where more fields are allowed is not good everywhere."""
        self.parser.parse(self.BLOCK, 5, True)
        self.assertRaises(LimitError, self.parser.parse, self.BLOCK, 1, True)

    def test_bad(self) -> None:
        """What was refused is refused again; so are two fields where one is allowed."""
        for block in (b"\r\nA : 1\r\n\r\n", b"\r\nHost: a\r\nHost: b\r\n\r\n"):
            for _ in range(3):
                self.assertRaises(ProtocolError, self.parser.parse, block, 5, True)

    def test_repeatedNames(self) -> None:
        """A block with two fields of a name still has both the second time."""
        for _ in range(2):
            headers = self.parser.parse(b"\r\nX: 1\r\nX: 2\r\n\r\n", 5, True)
            self.assertEqual(headers.joined(b"x"), b"1,2")

    def test_bounded(self) -> None:
        """However many blocks come, and however long they are, little is kept."""
        for number in range(2 * FieldParser.MAX_SEEN + 10):
            self.parser.parse(b"\r\nX: %d\r\n\r\n" % number, 5, True)
        self.assertEqual(len(self.parser._seen), 10)
        self.parser.parse(b"\r\nX: %b\r\n\r\n" % (b"x" * 2000), 5, True)
        self.assertEqual(len(self.parser._seen), 10)
