"""Tests of `mosntx.testing.sinks`: what they note, and that they keep their contracts."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stream import (
    LOCAL_RESET,
    IConnectionOwner,
    IExchangeFactory,
    IRequestSink,
    IResponseSink,
)
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.testing.net import FakeConnection
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingFactory, RecordingOwner, RecordingResponseSink


class Streams:
    """Streams as an owner sees them."""

    def __init__(self, reusable: bool) -> None:
        self.reusable = reusable
        self.drained = False

    def drain(self) -> None:
        """Close it."""
        self.drained = True


class SinkTests(SynchronousTestCase):
    """Each call is noted."""

    def test_contracts(self) -> None:
        """All of them provide what they stand in for."""
        streams: Any = None
        factory = RecordingFactory()
        verifyObject(IExchangeFactory, factory)
        verifyObject(IRequestSink, factory.newExchange(streams, 1))
        verifyObject(IResponseSink, RecordingResponseSink())
        verifyObject(IConnectionOwner, RecordingOwner())

    def test_request(self) -> None:
        """The parts of a request, in order."""
        streams: Any = None
        factory = RecordingFactory()
        sink = factory.newExchange(streams, 5)
        request = httpRequest()
        sink.requestHead(request, False)
        sink.requestData(b"a", False)
        sink.requestData(b"b", False)
        sink.requestTrailers(Headers([]))
        sink.requestMessage(request)
        sink.requestReset(LOCAL_RESET)
        whats = ["head", "data", "data", "trailers", "message", "reset"]
        self.assertEqual([what for what, *_ in sink.parts], whats)
        self.assertEqual((sink.body, sink.number, factory.sinks), (b"ab", 5, [sink]))
        factory.protocolError(FakeConnection(), ValueError("x"))
        self.assertEqual(len(factory.errors), 1)

    def test_response(self) -> None:
        """The parts of a response."""
        sink = RecordingResponseSink()
        answer = ResponseHead(200, Headers([]))
        sink.responseInformational(answer)
        sink.responseHead(answer, False)
        sink.responseData(b"a", False)
        sink.responseTrailers(Headers([]))
        sink.responseMessage(answer)
        sink.responseFlush()
        sink.responseReset(LOCAL_RESET)
        whats = ["informational", "head", "data", "trailers", "message", "reset"]
        self.assertEqual([what for what, *_ in sink.parts], whats)
        self.assertEqual(sink.body, b"a")

    def test_owner(self) -> None:
        """An owner closes what cannot be used again."""
        owner = RecordingOwner()
        good, bad = Streams(True), Streams(False)
        owner.checkin(good)
        owner.checkin(bad)
        self.assertEqual((good.drained, bad.drained), (False, True))
        self.assertEqual(owner.log, ["checkin", "checkin for good"])
