"""Tests of `mosntx.proxy.convert.tr_bolt`: SOFARPC on both sides."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import CONTINUE
from mosntx.contracts.message import IWholeRequest
from mosntx.protocol.bolt.heads import BoltRequest
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.proxy.convert.tr_bolt import toBoltRequest, toBoltResponse
from mosntx.testing.frames import boltRequest, boltResponse, simpleMap
from mosntx.testing.trframes import (
    REQUEST_CLASS,
    RESPONSE_CLASS,
    SERVICE,
    sofaRequest,
    sofaResponse,
    trRequest,
    trResponse,
)
from tests.proxy.convert.build import ConversionTestCase
from tests.proxy.scripts import Script

ARGUMENTS = b"\x05hello"
OBJECTS = sofaRequest(SERVICE, b"greet", ARGUMENTS)


def requestOf(frame):
    """The head that a server's codec makes of a frame of TR."""
    (event,) = TrProtocol().serverCodec().receive(frame)
    assert IWholeRequest.providedBy(event[2])
    return event[2]


def responseOf(frame):
    """The head that a client's codec makes of a frame of TR."""
    (event,) = TrProtocol().clientCodec().receive(frame)
    return event[2]


class RequestTests(SynchronousTestCase):
    """Requests of TR as frames of Bolt."""

    def test_headers(self):
        """Class and objects stay, and the header map names what SOFARPC looks for."""
        made = toBoltRequest(requestOf(trRequest(5, ARGUMENTS)), True)
        self.assertEqual((made.className, made.content), (REQUEST_CLASS, OBJECTS))
        self.assertEqual((made.service, made.method), (SERVICE, b"greet"))
        self.assertEqual(
            made.mapOctets(),
            simpleMap(
                [
                    (b"service", SERVICE),
                    (b"sofa_head_target_service", SERVICE),
                    (b"sofa_head_method_name", b"greet"),
                    (b"sofa_head_target_app", b"app"),
                ]
            ),
        )

    def test_otherSerialization(self):
        """Bolt has no number for the objects of another serialization."""
        for serialization in (1, 2):
            frame = bytearray(trRequest(5, ARGUMENTS))
            frame[2] = serialization
            head = requestOf(trRequest(5, ARGUMENTS))
            head.frame = bytes(frame)
            self.assertRaises(EncodeError, toBoltRequest, head, True)


class ResponseTests(SynchronousTestCase):
    """Responses of TR as frames of Bolt."""

    def converted(self, **fields):
        return toBoltResponse(responseOf(trResponse(**fields)), BoltRequest.of(version=2))

    def test_success(self):
        """A result."""
        made = self.converted()
        self.assertEqual((made.boltStatus, made.version, made.status), (0, 2, 200))
        self.assertEqual((made.className, made.content), (RESPONSE_CLASS, sofaResponse()))
        self.assertEqual(made.mapOctets(), b"")

    def test_error(self):
        """An error of the application is a success of Bolt with a header, as SOFARPC has it."""
        made = self.converted(text=b"no such name")
        self.assertEqual((made.boltStatus, made.status), (0, 500))
        self.assertEqual(made.mapOctets(), simpleMap([(b"sofa_head_response_error", b"true")]))

    def test_failure(self):
        """A failure of the remoting layer has a status."""
        self.assertEqual(self.converted(text=b"why", result=1).boltStatus, 3)


class TrToBoltTests(ConversionTestCase):
    """Clients of TR, upstreams of Bolt."""

    def begun(self, octets=None, **settings):
        self.between("tr", "bolt", **settings)
        return self.ask(octets or trRequest(5, ARGUMENTS))

    def test_request(self):
        """There and back, by the id of each side."""
        client, upstream = self.begun()
        frame = upstream.take()
        self.assertEqual(frame[:9], b"\x01\x01\0\x01\x01\0\0\0\x01")
        self.assertTrue(frame.endswith(OBJECTS))
        upstream.send(boltResponse(1, sofaResponse()))
        answer = responseOf(client.take())
        self.assertEqual((answer.className, answer.content), (RESPONSE_CLASS, sofaResponse()))
        self.assertEqual((answer.requestId, answer.status), (5, 200))

    def test_failure(self):
        """A failure without an object becomes TR's own."""
        client, upstream = self.begun()
        upstream.send(boltResponse(1, status=4, className=b""))
        answer = responseOf(client.take())
        self.assertEqual((answer.status, answer.result), (500, 1))

    def test_cannotBeSaid(self):
        """A response that TR has no place for."""
        client, upstream = self.begun()
        upstream.send(boltResponse(1, b"x", codec=11))
        self.assertEqual(responseOf(client.take()).status, 500)

    def test_oneway(self):
        """A one-way request stays one."""
        client, upstream = self.begun(trRequest(5, ARGUMENTS, oneway=True))
        self.assertEqual(upstream.take()[:2], b"\x01\x02")
        self.assertEqual(client.take(), b"")
        self.assertEqual(len(self.witness.ended), 1)

    def test_filtersSeeData(self):
        """Filters that want to see the objects see them."""
        script = Script("f", [], requestData=lambda *_: CONTINUE, responseData=lambda *_: CONTINUE)
        client, upstream = self.begun(filters=[script])
        self.assertTrue(upstream.take().endswith(OBJECTS))
        upstream.send(boltResponse(1, sofaResponse()))
        self.assertEqual(responseOf(client.take()).content, sofaResponse())


class BoltToTrTests(ConversionTestCase):
    """Clients of Bolt, upstreams of TR."""

    def begun(self, octets=None, **settings):
        self.between("bolt", "tr", **settings)
        return self.ask(octets or boltRequest(7, OBJECTS, [(b"service", SERVICE)]))

    def test_request(self):
        """There and back, by the id of each side."""
        client, upstream = self.begun()
        asked = requestOf(upstream.take())
        self.assertEqual((asked.className, asked.content), (REQUEST_CLASS, OBJECTS))
        self.assertEqual((asked.service, asked.requestId), (SERVICE, 1))
        upstream.send(trResponse(1))
        self.assertEqual(client.take(), boltResponse(7, sofaResponse()))

    def test_foreignObjects(self):
        """What is not Hessian cannot be said in TR."""
        self.between("bolt", "tr")
        client = self.running.client("front")
        client.send(boltRequest(7, b"x", [(b"service", SERVICE)], codec=11))
        self.running.upstream()
        self.assertEqual(client.take(), boltResponse(7, status=6, className=b""))
        self.assertEnded((502, 0x8))

    def test_oneway(self):
        """A one-way request stays one."""
        client, upstream = self.begun(boltRequest(7, OBJECTS, [(b"service", SERVICE)], oneway=True))
        self.assertTrue(requestOf(upstream.take()).oneway)
        self.assertEqual(client.take(), b"")

    def test_filtersSeeData(self):
        """Filters that want to see the objects see them."""
        script = Script("f", [], requestData=lambda *_: CONTINUE, responseData=lambda *_: CONTINUE)
        client, upstream = self.begun(filters=[script])
        self.assertEqual(requestOf(upstream.take()).content, OBJECTS)
        upstream.send(trResponse(1))
        self.assertEqual(client.take(), boltResponse(7, sofaResponse()))
