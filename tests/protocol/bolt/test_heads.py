"""Tests of heads."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass, verifyObject

from mosntx.contracts.message import ILocalReply, IWholeRequest, IWholeResponse
from mosntx.protocol.bolt.heads import BoltLocalReply, BoltRequest, BoltResponse
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.bolt.simplemap import writePairs
from mosntx.protocol.errors import EncodeError
from mosntx.testing.frames import REQUEST_CLASS, boltRequest, boltResponse
from tests.protocol.bolt.test_frames import SHAPES

PAIRS = [(b"service", b"com.lab.Svc:1.0"), (b"sofa_head_method_name", b"hello")]


def request(octets: bytes) -> BoltRequest:
    head = BoltProtocol().serverCodec().receive(octets)[0][2]
    assert isinstance(head, BoltRequest)
    return head


def response(octets: bytes) -> BoltResponse:
    head = BoltProtocol().clientCodec().receive(octets)[0][2]
    assert isinstance(head, BoltResponse)
    return head


class RequestTests(SynchronousTestCase):
    """See `BoltRequest`."""

    def test_contract(self) -> None:
        """It is an `IWholeRequest`."""
        verifyClass(IWholeRequest, BoltRequest)
        verifyObject(IWholeRequest, request(boltRequest()))

    def test_attributes(self) -> None:
        """Everything in the frame can be asked for, in every version."""
        for shape in SHAPES:
            octets = boltRequest(7, b"content", PAIRS, codec=11, timeout=1500, **shape)
            head = request(octets)
            self.assertEqual(head.frame, octets)
            self.assertEqual(head.protocol, "bolt" if shape["version"] == 1 else "boltv2")
            self.assertEqual(
                (head.version, head.ver1, head.switch),
                (shape["version"], shape.get("ver1", 1), shape.get("switch", 0)),
            )
            self.assertEqual((head.requestId, head.codec, head.timeout), (7, 11, 1.5))
            self.assertEqual((head.service, head.method), (b"com.lab.Svc:1.0", b"hello"))
            self.assertEqual((head.className, head.content), (REQUEST_CLASS, b"content"))
            self.assertEqual(head.contentLength, 7)
            self.assertEqual(head.headers.items(), PAIRS)
            self.assertIs(head.headers, head.headers)
            self.assertEqual((head.path, head.authority, head.scheme), (b"", b"", b""))
            self.assertFalse(head.replayable or head.oneway)

    def test_field(self) -> None:
        """A single field is found as in the headers, which one that is absent leaves undecoded."""
        head = request(boltRequest(7, b"hello, field", [*PAIRS, (b"a", b"no-such-field")]))
        self.assertIsNone(head.field(b"hello, field"))
        self.assertIsNone(head.decoded)
        self.assertEqual(head.field(b"service"), b"com.lab.Svc:1.0")
        self.assertIsNone(head.field(b"no-such-field"))
        head.headers.set(b"no-such-field", b"yes")
        self.assertEqual(head.field(b"no-such-field"), b"yes")

    def test_timeouts(self) -> None:
        """Milliseconds become seconds; 0 and anything negative say nothing."""
        for timeout, expected in ((3000, 3.0), (1, 0.001), (0, None), (-1, None), (-5, None)):
            self.assertEqual(request(boltRequest(timeout=timeout)).timeout, expected)

    def test_oneway(self) -> None:
        """The type says so."""
        self.assertTrue(request(boltRequest(oneway=True)).oneway)

    def test_empty(self) -> None:
        """A request of nothing but its fixed part has empty parts."""
        head = request(boltRequest(className=b""))
        self.assertEqual((head.className, head.content, head.service, head.method), (b"",) * 4)
        self.assertEqual(list(head.headers.items()), [])

    def test_changedService(self) -> None:
        """A filter that sets another service has the frame routed by it, and sends it."""
        head = request(boltRequest(7, b"x", [*PAIRS, (b"sofa_head_target_service", b"T")]))
        self.assertEqual(head.service, b"com.lab.Svc:1.0")
        head.headers.set(b"service", b"other")
        self.assertEqual(head.service, b"other")
        head.headers.remove(b"service")
        self.assertEqual(head.service, b"T")
        head.headers.remove(b"sofa_head_target_service")
        self.assertEqual(head.service, b"")
        self.assertEqual(head.octets(9), boltRequest(9, b"x", PAIRS[1:]))

    def test_changes(self) -> None:
        """Changed headers and content are written in every version, and nothing else changes."""
        for shape in SHAPES:
            head = request(boltRequest(7, b"old", PAIRS, codec=11, **shape))
            head.content = b"newer"
            self.assertEqual((head.content, head.contentLength), (b"newer", 5))
            head.headers.add(b"a", b"b")
            head.content = b"newest"
            expected = boltRequest(8, b"newest", [*PAIRS, (b"a", b"b")], codec=11, **shape)
            self.assertEqual(head.octets(8), expected, shape)
            self.assertEqual(head.octets(8), expected, "a retry")

    def test_tooMuch(self) -> None:
        """Headers that do not fit are refused when written."""
        head = request(boltRequest(7, b"", PAIRS))
        head.headers.add(b"a", b"b" * 65535)
        self.assertRaises(EncodeError, head.octets, 8)
        self.assertRaises(EncodeError, BoltRequest.of, className=b"c" * 65536)

    def test_of(self) -> None:
        """A new request is the frame that its fields say."""
        for shape in SHAPES:
            head = BoltRequest.of(
                writePairs(PAIRS),
                b"content",
                className=REQUEST_CLASS,
                oneway=True,
                codec=12,
                milliseconds=250,
                **shape,
            )
            expected = boltRequest(
                0, b"content", PAIRS, oneway=True, codec=12, timeout=250, **shape
            )
            self.assertEqual(head.frame, expected)
            self.assertEqual((head.timeout, head.oneway, head.requestId), (0.25, True, 0))
            self.assertEqual((head.service, head.content), (b"com.lab.Svc:1.0", b"content"))

    def test_repr(self) -> None:
        """Nothing of the message is shown."""
        self.assertEqual(
            repr(request(boltRequest(7, b"s3cret", className=b""))), "<BoltRequest bolt 28 octets>"
        )


class ResponseTests(SynchronousTestCase):
    """See `BoltResponse`."""

    def test_contract(self) -> None:
        """It is an `IWholeResponse`, and the local reply an `ILocalReply`."""
        verifyClass(IWholeResponse, BoltResponse)
        verifyObject(IWholeResponse, response(boltResponse()))
        verifyClass(ILocalReply, BoltLocalReply)
        verifyObject(ILocalReply, BoltLocalReply(response(boltResponse())))

    def test_attributes(self) -> None:
        """Everything in the frame can be asked for, in every version."""
        for shape in SHAPES:
            octets = boltResponse(7, b"content", PAIRS, codec=11, status=4, **shape)
            head = response(octets)
            self.assertEqual((head.frame, head.requestId, head.codec), (octets, 7, 11))
            self.assertEqual((head.boltStatus, head.status), (4, 503))
            self.assertEqual((head.content, head.contentLength), (b"content", 7))
            self.assertEqual(head.headers.items(), PAIRS)
            self.assertTrue(head.className.endswith(b"SofaResponse"))

    def test_changes(self) -> None:
        """As with requests."""
        for shape in SHAPES:
            head = response(boltResponse(7, b"old", PAIRS, status=2, **shape))
            head.headers.set(b"service", b"x")
            head.content = b""
            expected = boltResponse(8, b"", [(b"service", b"x"), PAIRS[1]], status=2, **shape)
            self.assertEqual(head.octets(8), expected, shape)

    def test_of(self) -> None:
        """A new response is the frame that its fields say."""
        for shape in SHAPES:
            head = BoltResponse.of(
                writePairs(PAIRS), b"content", className=b"C", codec=12, boltStatus=7, **shape
            )
            expected = boltResponse(
                0, b"content", PAIRS, className=b"C", codec=12, status=7, **shape
            )
            self.assertEqual((head.frame, head.status), (expected, 504))
            self.assertEqual((head.className, head.content), (b"C", b"content"))
        self.assertRaises(EncodeError, BoltResponse.of, className=b"c" * 65536)
