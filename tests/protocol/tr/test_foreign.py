"""Tests of what other protocols can say in TR."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, ResponseHead
from mosntx.protocol.tr.foreign import toRequest, toResponse
from mosntx.testing.trframes import (
    REQUEST_CLASS,
    RESPONSE_CLASS,
    SERVICE,
    sofaRequest,
    sofaResponse,
    trRequest,
    trResponse,
)


class RequestTests(SynchronousTestCase):
    """Requests of Bolt, and of others."""

    def test_bolt(self) -> None:
        """A SOFARPC request has the same class and objects in both protocols."""
        content = sofaRequest(SERVICE, b"greet", b"\x01x")
        for oneway in (False, True):
            head = BoltRequest.of(b"", content, className=REQUEST_CLASS, oneway=oneway)
            made = toRequest(head, head.content)
            self.assertEqual(made.octets(5), trRequest(5, b"\x01x", oneway=oneway))

    def test_refused(self) -> None:
        """What names no class, a long one, or is not in Hessian 2 cannot be said."""
        for head in (
            RequestHead(b"GET", b"/", b"a", Headers()),
            BoltRequest.of(),
            BoltRequest.of(className=b"x" * 256),
            BoltRequest.of(className=REQUEST_CLASS, codec=11),
        ):
            with self.assertRaises(EncodeError):
                toRequest(head, b"")


class ResponseTests(SynchronousTestCase):
    """Responses of Bolt, and of others."""

    def test_bolt(self) -> None:
        """A SOFARPC response, too; what failed without one has a text."""
        content = sofaResponse(None, b"\x01x")
        head = BoltResponse.of(b"", content, className=RESPONSE_CLASS)
        made = toResponse(head, content, 4, False)
        self.assertEqual((made.octets(5), made.status), (trResponse(5, b"\x01x"), 200))
        head = BoltResponse.of(b"", content, className=RESPONSE_CLASS, boltStatus=7)
        made = toResponse(head, content, 4, False)
        self.assertEqual((made.result, made.connection.errorText), (1, b"Gateway Timeout"))

    def test_errors(self) -> None:
        """A failure of any protocol can be said, in every serialization."""
        for head in (BoltResponse.of(boltStatus=4), ResponseHead(503, Headers())):
            for serialization in (1, 2, 4):
                made = toResponse(head, b"", serialization, False)
                self.assertEqual((made.status, made.serialization), (503, serialization))
                self.assertEqual(made.connection.errorText, b"Service Unavailable")

    def test_refused(self) -> None:
        """A success that names no class, or is for a client that reads something else."""
        good = BoltResponse.of(b"", b"N", className=RESPONSE_CLASS)
        for head, serialization in (
            (ResponseHead(200, Headers()), 4),
            (BoltResponse.of(), 4),
            (good, 1),
            (good, 2),
            (BoltResponse.of(className=RESPONSE_CLASS, codec=11), 4),
        ):
            with self.assertRaises(EncodeError):
                toResponse(head, b"", serialization, False)
