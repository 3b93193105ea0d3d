"""Tests of messages of other protocols as frames."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.bolt.foreign import MAX_TIMEOUT, answerSwitch, toMap, toRequest, toResponse
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, ResponseHead
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.requests import RpcHeaders, RpcRequest
from tests.protocol.bolt.test_frames import SHAPES
from tests.protocol.bolt.test_heads import PAIRS, request, response

FIELDS = [(b"Service", b"a"), (b"X-B", b"c"), (b"Content-Length", b"2")]
LOWER = [(b"service", b"a"), (b"x-b", b"c")]


class MapTests(SynchronousTestCase):
    """See `toMap`."""

    def test_http(self) -> None:
        """HTTP's names have no case of their own, and a frame says its length itself."""
        self.assertEqual(toMap(Headers(FIELDS)), boltRequest(0, b"", LOWER, className=b"")[22:])

    def test_rpc(self) -> None:
        """Names of RPC protocols stay as they are."""
        octets = toMap(RpcHeaders([(b"Ab", b"c")]))
        self.assertEqual(octets, boltRequest(0, b"", [(b"Ab", b"c")], className=b"")[22:])


class RequestTests(SynchronousTestCase):
    """See `toRequest`."""

    def test_http(self) -> None:
        """Fields become the header map, the body the content; there is no class and no timeout."""
        head = RequestHead(b"POST", b"/", b"a", Headers(FIELDS))
        made = toRequest(head, b"ab", 1, False)
        self.assertEqual(made.frame, boltRequest(0, b"ab", LOWER, className=b"", timeout=-1))

    def test_versions(self) -> None:
        """Version and CRC32 are those of the cluster; version 1 has no CRC32."""
        head = RequestHead(b"POST", b"/", b"a", Headers())
        shapes: list[tuple[int, bool, dict[str, Any]]] = [
            (1, True, {"version": 1}),
            (2, False, {"version": 2}),
            (2, True, {"version": 2, "ver1": 2, "switch": 1}),
        ]
        for version, crc, shape in shapes:
            expected = boltRequest(0, b"ab", className=b"", timeout=-1, **shape)
            self.assertEqual(toRequest(head, b"ab", version, crc).frame, expected)

    def test_timeouts(self) -> None:
        """Seconds become milliseconds that fit."""
        for timeout, expected in ((None, -1), (0.25, 250), (2.5e6, MAX_TIMEOUT)):
            made = toRequest(RpcRequest(timeout=timeout), b"", 1, False)
            self.assertEqual(made.frame, boltRequest(0, className=b"", timeout=expected))

    def test_own(self) -> None:
        """A frame whose content comes apart from it keeps the rest."""
        for shape in SHAPES:
            head = request(boltRequest(7, b"old", PAIRS, codec=11, timeout=70, **shape))
            made = toRequest(head, b"new", 1, False)
            self.assertEqual(
                made.frame, boltRequest(0, b"new", PAIRS, codec=11, timeout=70, **shape)
            )
            head.headers.set(b"service", b"x")
            made = toRequest(head, b"new", 1, False)
            self.assertEqual(made.service, b"x")

    def test_tooMuch(self) -> None:
        """Fields that do not fit into a header map are refused."""
        head = RequestHead(b"POST", b"/", b"a", Headers([(b"a", b"b" * 65535)]))
        self.assertRaises(EncodeError, toRequest, head, b"", 1, False)


class ResponseTests(SynchronousTestCase):
    """See `toResponse`."""

    def test_http(self) -> None:
        """The answer has the version and codec of its request, and a status of Bolt."""
        for shape in SHAPES:
            asked = request(boltRequest(7, codec=12, **shape))
            made = toResponse(ResponseHead(504, Headers(FIELDS)), b"ab", asked)
            shape = {**shape, "switch": answerSwitch(asked)}
            expected = boltResponse(0, b"ab", LOWER, codec=12, status=7, className=b"", **shape)
            self.assertEqual(made.frame, expected)

    def test_own(self) -> None:
        """A frame in another version keeps class, header map, content, codec and status."""
        for shape in SHAPES:
            head = response(boltResponse(7, b"", PAIRS, codec=11, status=99, **shape))
            for other in SHAPES:
                asked = request(boltRequest(7, codec=12, **other))
                made = toResponse(head, b"new", asked)
                wanted = {**other, "switch": answerSwitch(asked)}
                expected = boltResponse(0, b"new", PAIRS, codec=11, status=99, **wanted)
                self.assertEqual(made.frame, expected)

    def test_switch(self) -> None:
        """Who sent a CRC32 gets one; the bit is never on without one."""
        for shape in SHAPES:
            asked = BoltRequest.of(**shape)
            made = BoltResponse.of(
                version=asked.version, ver1=asked.ver1, switch=answerSwitch(asked)
            )
            self.assertEqual(bool(made.switch & 1), len(made.frame) == 26, shape)
            self.assertEqual(bool(made.switch), shape in SHAPES[4:6], shape)
