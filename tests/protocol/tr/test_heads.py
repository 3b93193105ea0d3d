"""Tests of frames as heads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.message import ILocalReply, IWholeRequest, IWholeResponse
from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import MAX_LOOKED_AT, LocalReply, TrRequest, TrResponse, readHead
from mosntx.testing.trframes import (
    REQUEST_CLASS,
    RESPONSE_CLASS,
    SERVICE,
    connectionRequest,
    connectionResponse,
    finalObject,
    hessianObject,
    hessianText,
    sofaRequest,
    sofaResponse,
    trFrame,
    trRequest,
    trResponse,
)

IDS = st.integers(-(1 << 63), (1 << 63) - 1)


def request(octets: bytes) -> TrRequest:
    head = readHead(octets, ConnectionReader())
    assert isinstance(head, TrRequest)
    return head


def response(octets: bytes) -> TrResponse:
    head = readHead(octets, ConnectionReader())
    assert isinstance(head, TrResponse)
    return head


def withContent(content: bytes, className: bytes = REQUEST_CLASS) -> TrRequest:
    return request(trFrame(0, connectionRequest(b"\xe1"), className, content, direction=2))


class RequestTests(SynchronousTestCase):
    """What routes and filters see of a request."""

    def test_contract(self) -> None:
        """All that a head has to say is there."""
        head = request(trRequest(70_000))
        verifyObject(IWholeRequest, head)
        self.assertEqual((head.service, head.method), (SERVICE, b"greet"))
        self.assertEqual((head.path, head.authority, head.scheme), (b"", b"", b""))
        self.assertEqual((head.protocol, head.timeout, head.replayable), ("tr", None, False))
        self.assertEqual((head.requestId, head.serialization), (70_000, 4))
        self.assertEqual(head.application, b"app")
        self.assertNotIn("Greeter", repr(head))

    def test_oneway(self) -> None:
        """Only direction 1 wants no answer."""
        frame = bytearray(trRequest())
        for direction in range(256):
            frame[3] = direction
            self.assertEqual(request(bytes(frame)).oneway, direction == 1)

    def test_headers(self) -> None:
        """The fixed fields under MOSN's names, behind service and method."""
        head = request(trRequest(-5, b"\x01x"))
        items = dict(head.headers.items())
        name = b"x-mosn-sofarpc-headers-property-"
        self.assertEqual(list(items)[:2], [b"service", b"method"])
        self.assertEqual(items[name + b"requestid"], b"-5")
        self.assertEqual(items[name + b"cmdcode"], b"13")
        self.assertEqual(items[name + b"direction"], b"2")
        self.assertEqual(items[name + b"appclassnamelen"], b"44")
        self.assertEqual(items[name + b"appclasscontentlen"], b"%d" % len(head.content))
        self.assertEqual(len(items), 12)
        self.assertIs(head.headers, head.headers)

    def test_field(self) -> None:
        """A single field is found as in the headers, those of the frame and others."""
        head = request(trRequest(5))
        self.assertIsNone(head.field(b"x-mosn-try-timeout"))
        for name, value in head.headers.items():
            self.assertEqual(request(trRequest(5)).field(name), value)
        head.headers.add(b"x-mosn-try-timeout", b"10")
        self.assertEqual(head.field(b"x-mosn-try-timeout"), b"10")

    def test_changedHeaders(self) -> None:
        """Headers can be changed, path and authority assigned; the frame stays as it is."""
        head = request(trRequest())
        head.headers.set(b"service", b"other")
        head.path = b"/x"
        head.authority = b"a"
        self.assertTrue(head.headers.changed)
        self.assertEqual(head.octets(1), trRequest())

    def test_noService(self) -> None:
        """A service that cannot be read, or not be a header, is none; so it is with the method."""
        for content in (
            *(b"", b"N", b"garbage", b"O\0", sofaRequest(None, None)),
            *(sofaRequest(text, text) for text in (b"a\r\nb", b"a\nb", b"a\0b")),
            b"V" * 1000,
            hessianObject(0, b"x.Other", (b"targetServiceUniqueName", b"\x01x")),
        ):
            head = withContent(content)
            self.assertEqual((head.service, head.method), (b"", b""), content)
            self.assertIsNone(head.headers.get(b"service"))
            self.assertEqual(head.octets(1), head.frame)

    def test_otherClass(self) -> None:
        """Application objects of other classes are not looked at."""
        head = withContent(sofaRequest(b"s", b"m"), b"com.example.Request")
        self.assertEqual((head.service, head.method, head.application), (b"", b"", b""))

    def test_inside(self) -> None:
        """A SofaRequest inside of another does not say where the frame goes."""
        inner = sofaRequest(b"inner", b"inner").replace(b"o\x90", b"o\x91")
        fields = ((b"x", inner), (b"methodName", b"\1m"), (b"targetServiceUniqueName", b"\1s"))
        head = withContent(hessianObject(0, REQUEST_CLASS, *fields))
        self.assertEqual((head.service, head.method), (b"s", b"m"))

    def test_final(self) -> None:
        """The published grammar is read, too."""
        fields = ((b"methodName", b"\1m"), (b"targetServiceUniqueName", b"\x30\x02ab"))
        head = withContent(finalObject(0, REQUEST_CLASS, *fields))
        self.assertEqual((head.service, head.method), (b"ab", b"m"))

    def test_farAway(self) -> None:
        """A service behind more than is looked at is none."""
        chunk = b"s\xff\xff" + b"a" * 0xFFFF
        fields = ((b"a", chunk * (MAX_LOOKED_AT // 0xFFFF) + b"\0"), (b"methodName", b"\1m"))
        content = hessianObject(0, REQUEST_CLASS, *fields)
        self.assertEqual(withContent(content).method, b"")

    @given(IDS, IDS, st.binary(max_size=40))
    def test_ids(self, first: int, second: int, arguments: bytes) -> None:
        """Any id becomes any other and back, and nothing else changes but a length."""
        octets = trRequest(first, arguments)
        changed = request(octets).octets(second)
        self.assertEqual(changed, trRequest(second, arguments))
        self.assertEqual(request(changed).octets(first), octets)

    def test_longForms(self) -> None:
        """An id that was longer than it needs is written in its shortest form when changed."""
        for size in (1, 2, 3, 5, 9):
            octets = trRequest(5, size=size)
            self.assertEqual(request(octets).octets(5), octets)
            self.assertEqual(request(octets).octets(6), trRequest(6))

    @given(IDS, st.binary(max_size=400))
    def test_content(self, number: int, content: bytes) -> None:
        """Content can be replaced; its length follows."""
        head = request(trRequest(300))
        before = head.content
        self.assertEqual(head.contentLength, len(before))
        head.content = content
        self.assertEqual((head.content, head.contentLength), (content, len(content)))
        again = request(head.octets(number))
        self.assertEqual((again.requestId, again.content), (number, content))
        self.assertEqual(again.className, REQUEST_CLASS)


class ResponseTests(SynchronousTestCase):
    """What is seen of a response."""

    def test_contract(self) -> None:
        """All that a head has to say is there."""
        head = response(trResponse(5))
        verifyObject(IWholeResponse, head)
        verifyObject(ILocalReply, LocalReply(head))
        self.assertEqual((head.requestId, head.status, head.result), (5, 200, 0))
        self.assertEqual(head.headers.get(b"x-mosn-sofarpc-headers-property-cmdcode"), b"14")

    def test_status(self) -> None:
        """A result other than 0 is an error, and so is a SofaResponse that says so."""
        connection = connectionResponse(b"\xe1")
        for octets, status in (
            (trResponse(1), 200),
            (trResponse(1, result=1), 500),
            (trResponse(1, result=1, text=b"boom"), 500),
            (trFrame(1, connection, RESPONSE_CLASS, sofaResponse(b"boom")), 500),
            (trFrame(1, connection, RESPONSE_CLASS, b"garbage"), 200),
            (trFrame(1, connection, b"com.example.Answer", sofaResponse(b"boom")), 200),
            (
                trFrame(
                    1,
                    connection,
                    RESPONSE_CLASS,
                    finalObject(0, RESPONSE_CLASS, (b"isError", b"T")),
                ),
                500,
            ),
        ):
            head = response(octets)
            self.assertEqual(head.status, status)
            self.assertEqual(head.heartbeatStatus, head.result)
            head.status = 503
            self.assertEqual((head.status, head.octets(1)), (503, octets))

    def test_error(self) -> None:
        """Result, text and host are there to be asked for."""
        connection = connectionResponse(b"\xe1", 7, b"boom", b"h:1")
        head = response(trFrame(1, connection, RESPONSE_CLASS, b""))
        self.assertEqual((head.result, head.connection.errorText), (7, b"boom"))
        self.assertEqual(head.connection.host, b"h:1")

    def test_longAnswer(self) -> None:
        """An answer of any size is not looked through."""
        head = response(trResponse(1, hessianText(b"x" * 60_000)))
        self.assertEqual(head.status, 200)
