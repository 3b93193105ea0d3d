"""Tests of `mosntx.stream.sequential.client`: one stream, then another."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.net import IDLE, READ_ERROR_CLOSE, REMOTE_CLOSE
from mosntx.contracts.stream import (
    LOCAL_RESET,
    PROTOCOL_ERROR,
    REUSE_RACE,
    UPSTREAM_RESET,
    IConnectionOwner,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.stream.sequential.client import SequentialClient
from mosntx.testing.contracts.network import ReceiverSuite
from mosntx.testing.contracts.streams import ClientStreamsSuite
from mosntx.testing.net import FakeConnection
from mosntx.testing.requests import RpcRequest, httpRequest
from mosntx.testing.sinks import RecordingOwner, RecordingResponseSink

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
OPEN_END = b"HTTP/1.1 200 OK\r\n\r\nabc"


class SequentialClientSuiteTests(ClientStreamsSuite, SynchronousTestCase):
    """The contract of streams."""

    def client(self, owner: IConnectionOwner) -> Any:
        """See `ClientStreamsSuite`."""
        return SequentialClient(Http1Protocol().clientCodec(), owner)

    def requestHead(self) -> Any:
        """See `ClientStreamsSuite`."""
        return httpRequest()

    def response(self, number: int) -> bytes:
        """See `ClientStreamsSuite`."""
        return OK


class SequentialClientReceiverTests(ReceiverSuite, SynchronousTestCase):
    """The contract of receivers."""

    def receiver(self, connection: object) -> Any:
        """See `ReceiverSuite`."""
        return SequentialClient(Http1Protocol().clientCodec(), RecordingOwner())


class ClientTestCase(SynchronousTestCase):
    """A test with one connection."""

    wheel: TimerWheel

    def setUp(self) -> None:
        """Connect."""
        self.owner = RecordingOwner()
        self.connection = FakeConnection()
        self.client = SequentialClient(Http1Protocol().clientCodec(), self.owner)
        self.connection.handOver(self.client, b"")

    def open(self, method: bytes = b"GET", end: bool = True) -> RecordingResponseSink:
        """Send a request; its number is in ``self.number``."""
        sink = RecordingResponseSink()
        self.number = self.client.open(sink, httpRequest(method=method), end)
        return sink

    def whats(self, sink: RecordingResponseSink) -> list[str]:
        """Return the names of the parts."""
        return [what for what, *_ in sink.parts]

    def assertReset(self, sink: RecordingResponseSink, reason: int) -> None:
        """Check that a stream has died, by a reason."""
        self.assertEqual(sink.parts[-1][:2], ("reset", reason))
        self.assertEqual(self.whats(sink).count("reset"), 1)

    def assertClosed(self, *log: str) -> None:
        """Check that the connection is not used again, and what the owner has heard."""
        self.assertTrue(self.connection.closing)
        self.assertFalse(self.client.reusable)
        self.assertEqual(self.owner.log, list(log))


class ReuseTests(ClientTestCase):
    """When a connection carries another stream: only after a complete, clean exchange."""

    def test_complete(self) -> None:
        """A response with a length, in pieces."""
        sink = self.open()
        for octet in OK:
            self.connection.deliver(bytes((octet,)))
        self.assertEqual(sink.body, b"ok")
        self.assertEqual(self.owner.log, ["checkin"])
        self.assertTrue(self.client.reusable)

    def test_chunkedWithTrailers(self) -> None:
        """A chunked one."""
        sink = self.open()
        self.connection.deliver(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-T: 1\r\n\r\n"
        )
        self.assertEqual(self.whats(sink)[-1], "trailers")
        self.assertTrue(self.client.reusable)

    def test_connectionClose(self) -> None:
        """Not when the upstream says that it closes."""
        self.open()
        self.connection.deliver(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        self.assertClosed("checkin for good")

    def test_http10(self) -> None:
        """Not with an HTTP/1.0 upstream, unless it says keep-alive."""
        self.open()
        self.connection.deliver(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.assertClosed("checkin for good")

    def test_http10KeepAlive(self) -> None:
        """Then it is."""
        self.open()
        self.connection.deliver(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"
        )
        self.assertTrue(self.client.reusable)

    def test_octetsAfterTheEnd(self) -> None:
        """Not when more has come than was asked for: the response itself is good."""
        sink = self.open()
        self.connection.deliver(OK + b"HTTP/1.1 200 OK\r\n")
        self.assertEqual(self.whats(sink), ["head", "data"])
        self.assertTrue(sink.parts[-1][2])
        self.assertClosed("checkin for good", "protocolError")

    def test_octetsWhileIdle(self) -> None:
        """Not when something comes that nobody asked for."""
        self.open()
        self.connection.deliver(OK)
        self.connection.deliver(OK)
        self.assertClosed("checkin", "protocolError")
        self.assertTrue(self.connection.aborted)

    def test_responseBeforeTheRequestEnds(self) -> None:
        """Not when the request has not been sent completely."""
        sink = self.open(b"POST", False)
        self.connection.deliver(OK)
        self.assertTrue(sink.parts[-1][2])
        self.assertClosed("checkin for good")
        written = self.connection.clear()
        self.client.sendData(self.number, b"late", True)
        self.assertEqual(self.connection.written, b"", written)

    def test_maxStreams(self) -> None:
        """Not after the number of streams that it may carry."""
        self.client = SequentialClient(Http1Protocol().clientCodec(), self.owner, 2)
        self.connection = FakeConnection()
        self.connection.handOver(self.client, b"")
        self.open()
        self.connection.deliver(OK)
        self.assertTrue(self.client.reusable)
        self.open()
        self.connection.deliver(OK)
        self.assertClosed("checkin", "checkin for good")

    def test_finWhileIdle(self) -> None:
        """Not when the upstream has closed it."""
        self.open()
        self.connection.deliver(OK)
        self.connection.peerFinished()
        self.assertClosed("checkin")

    def test_idleTimeout(self) -> None:
        """Not when we are closing it because it was idle."""
        self.client.connectionEvent(self.connection, REMOTE_CLOSE)
        self.assertTrue(self.client.reusable)
        self.client.connectionEvent(self.connection, IDLE)
        self.assertFalse(self.client.reusable)

    def test_draining(self) -> None:
        """Not when its pool gives it up."""
        self.open()
        self.client.drain()
        self.connection.deliver(OK)
        self.assertClosed("checkin for good")

    def test_head(self) -> None:
        """The answer to HEAD has no body, whatever its length says."""
        sink = self.open(b"HEAD")
        self.connection.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        self.assertEqual(self.whats(sink), ["head"])
        self.assertTrue(self.client.reusable)


class EndTests(ClientTestCase):
    """Upstreams that end a connection in the middle."""

    def test_beforeAnything(self) -> None:
        """On a fresh connection it is the upstream's refusal; on a used one the reuse race."""
        sink = self.open()
        self.connection.peerFinished()
        self.assertReset(sink, UPSTREAM_RESET)
        self.setUp()
        self.open()
        self.connection.deliver(OK)
        sink = self.open()
        self.connection.peerFinished()
        self.assertReset(sink, REUSE_RACE)
        self.assertClosed("checkin", "stale", "checkin for good")

    def test_resetBeforeAnything(self) -> None:
        """The same for a RST."""
        self.open()
        self.connection.deliver(OK)
        sink = self.open()
        self.connection.lose(READ_ERROR_CLOSE)
        self.assertReset(sink, REUSE_RACE)
        self.assertEqual(self.owner.log, ["checkin", "connectionGone", "stale"])

    def test_inTheHead(self) -> None:
        """An octet of the answer, and it is no race any more."""
        for end in (self.connection.peerFinished, lambda: self.connection.lose(READ_ERROR_CLOSE)):
            self.setUp()
            self.open()
            self.connection.deliver(OK)
            sink = self.open()
            self.connection.deliver(b"H")
            end() if end.__name__ == "<lambda>" else self.connection.peerFinished()
            self.assertReset(sink, UPSTREAM_RESET)

    def test_inTheBody(self) -> None:
        """A body that is too short is never complete."""
        for framing in (
            b"Content-Length: 10\r\n\r\nabc",
            b"Transfer-Encoding: chunked\r\n\r\n3\r\n",
        ):
            for fin in (True, False):
                self.setUp()
                sink = self.open()
                self.connection.deliver(b"HTTP/1.1 200 OK\r\n" + framing)
                if fin:
                    self.connection.peerFinished()
                else:
                    self.connection.lose(READ_ERROR_CLOSE)
                self.assertReset(sink, UPSTREAM_RESET)

    def test_closeDelimited(self) -> None:
        """A body without a length ends by the FIN."""
        sink = self.open()
        self.connection.deliver(OPEN_END)
        self.assertFalse(sink.parts[-1][2])
        self.connection.peerFinished()
        self.assertEqual(sink.body, b"abc")
        self.assertTrue(sink.parts[-1][2])
        self.assertNotIn("reset", self.whats(sink))
        self.assertClosed("checkin for good")

    def test_closeDelimitedOverTls(self) -> None:
        """Also where a connection knows no half close."""
        sink = self.open()
        self.connection.deliver(OPEN_END)
        self.connection.lose(REMOTE_CLOSE)
        self.assertEqual(sink.parts[-1], ("data", b"", True))
        self.assertEqual(self.owner.log, ["checkin for good", "connectionGone"])

    def test_closeDelimitedReset(self) -> None:
        """A RST is no end."""
        sink = self.open()
        self.connection.deliver(OPEN_END)
        self.connection.lose(READ_ERROR_CLOSE)
        self.assertReset(sink, UPSTREAM_RESET)

    def test_garbage(self) -> None:
        """What is no response is counted, and closes the connection."""
        sink = self.open()
        self.connection.deliver(b"SSH-2.0-OpenSSH\r\n\r\n")
        self.assertReset(sink, PROTOCOL_ERROR)
        self.assertClosed("protocolError", "checkin for good")

    def test_garbageInTheBody(self) -> None:
        """Also after the head."""
        sink = self.open()
        self.connection.deliver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        self.assertEqual(self.whats(sink), ["head", "reset"])
        self.assertReset(sink, PROTOCOL_ERROR)


class RequestTests(ClientTestCase):
    """Sending, and giving up."""

    def test_body(self) -> None:
        """Data and trailers are written in order."""
        self.open(b"PUT", False)
        self.connection.clear()
        self.client.sendData(self.number, b"abc", False)
        self.client.sendTrailers(self.number, Headers([(b"X-T", b"1")]))
        self.assertEqual(self.connection.clear(), b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")
        self.client.sendData(self.number, b"late", True)
        self.client.sendTrailers(self.number, Headers([]))
        self.assertEqual(self.connection.written, b"")
        self.connection.deliver(OK)
        self.assertTrue(self.client.reusable)

    def test_lastData(self) -> None:
        """Data may end a request."""
        self.open(b"PUT", False)
        self.client.sendData(self.number, b"", True)
        self.assertTrue(self.connection.clear().endswith(b"\r\n\r\n0\r\n\r\n"))

    def test_cannotBeSaid(self) -> None:
        """A request that HTTP/1 cannot carry leaves the connection as it was."""
        sink = RecordingResponseSink()
        request = RpcRequest({})
        request.path = b"no path"
        self.assertEqual(self.client.open(sink, request, True), 0)
        self.assertReset(sink, LOCAL_RESET)
        self.assertEqual((self.connection.written, self.owner.log), (b"", ["checkin"]))
        self.open()
        self.assertTrue(self.connection.written)

    def test_informational(self) -> None:
        """Interim responses are passed on, each by itself."""
        sink = self.open()
        self.connection.deliver(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.connection.deliver(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)
        self.assertEqual(self.whats(sink), ["informational"] * 2 + ["head", "data"])

    def test_giveUp(self) -> None:
        """Nothing but closing takes a request back."""
        sink = self.open()
        self.client.reset(self.number, LOCAL_RESET)
        self.assertClosed("checkin for good")
        self.assertEqual(sink.parts, [])

    def test_pause(self) -> None:
        """An exchange may pause the upstream; that does not outlast the stream."""
        self.open()
        self.client.pauseStream(self.number)
        self.client.pauseStream(self.number)
        self.assertFalse(self.connection.reading)
        self.client.resumeStream(self.number)
        self.assertTrue(self.connection.reading)
        self.client.pauseStream(self.number)
        self.connection.deliver(OK)
        self.assertTrue(self.connection.reading)

    def test_nobodyListens(self) -> None:
        """What else was on its way when the stream was given up is dropped."""
        self.open()
        self.connection.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        self.client.reset(self.number, LOCAL_RESET)
        self.client.bytesReceived(b"def")
        self.client.readClosed()
        self.assertEqual(self.owner.log, ["checkin for good"])
