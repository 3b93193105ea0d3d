"""Tests of `mosntx.proxy.forwarding`: headers that tell where a request came from."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import ProxyConfig
from mosntx.proxy.forwarding import buildForwarding, peerAddress
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeExchange
from tests.proxy.build import GET, NO_CONTENT, MeshTestCase, response, toCluster

WITH_HEADERS = (
    b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\n"
    b"X-Forwarded-Proto: https\r\nVia: 1.0 fred\r\nX-Request-Id: given\r\n\r\n"
)


class ForwardingTests(MeshTestCase):
    """What the upstream gets."""

    def fields(self, octets: bytes = GET, **switches: object) -> list[bytes]:
        """Return the header lines of the request that goes up."""
        self.begin(proxy=switches)
        _, upstream = self.get(octets)
        lines = upstream.take().split(b"\r\n")[1:-2]
        self.tearDown()
        return lines

    def test_off(self) -> None:
        """Nothing is added unless switched on (MOSN)."""
        self.assertEqual(self.fields(), [b"Host: a"])

    def test_forwardedFor(self) -> None:
        """The client's address, and how it came."""
        lines = self.fields(use_remote_address=True)
        self.assertIn(b"X-Forwarded-For: 127.0.0.1", lines)
        self.assertIn(b"X-Forwarded-Proto: http", lines)
        self.assertEqual(len(lines), 3)

    def test_forwardedForAppends(self) -> None:
        """What came before stays in front, in one field; the protocol is ours to say."""
        lines = self.fields(WITH_HEADERS, use_remote_address=True)
        found = [line for line in lines if line.lower().startswith(b"x-forwarded-for")]
        self.assertEqual(found, [b"X-Forwarded-For: 10.0.0.1, 10.0.0.2, 127.0.0.1"])
        found = [line for line in lines if line.lower().startswith(b"x-forwarded-proto")]
        self.assertEqual(found, [b"X-Forwarded-Proto: http"])

    def test_via(self) -> None:
        """Appended as a field of its own."""
        self.assertIn(b"Via: 1.1 edge", self.fields(via="edge"))
        lines = self.fields(WITH_HEADERS, via="edge")
        found = [line for line in lines if line.startswith(b"Via")]
        self.assertEqual(found, [b"Via: 1.0 fred", b"Via: 1.1 edge"])

    def test_requestId(self) -> None:
        """Made when there is none, kept when there is one."""
        (line,) = self.fields(generate_request_id=True)[1:]
        self.assertTrue(
            re.fullmatch(rb"X-Request-Id: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", line)
        )
        lines = self.fields(WITH_HEADERS, generate_request_id=True)
        self.assertEqual(lines.count(b"X-Request-Id: given"), 1)

    def test_idsDiffer(self) -> None:
        """Each request has its own."""
        self.begin(proxy={"generate_request_id": True})
        client, upstream = self.get()
        first = upstream.take()
        upstream.send(NO_CONTENT)
        client.send(GET)
        self.assertNotEqual(first, upstream.take())

    def test_onlyOnce(self) -> None:
        """A repetition does not add them again."""
        policy = {"retry_on": True, "num_retries": 1}
        mesh = self.begin(
            toCluster(retry_policy=policy),
            proxy={"use_remote_address": True, "via": "edge", "generate_request_id": True},
        )
        _, upstream = self.get()
        first = upstream.take()
        upstream.send(response(b"no", b"503 Service Unavailable"))
        mesh.advance(0.05)
        self.assertEqual(mesh.upstream().take(), first)


class PeerTests(SynchronousTestCase):
    """Addresses."""

    def test_address(self) -> None:
        """Without port and brackets; what has none stays."""
        for peer, address in (
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("unix", "unix"),
        ):
            self.assertEqual(peerAddress(peer), address)

    def test_tls(self) -> None:
        """Encrypted connections are https."""
        config = ProxyConfig(downstream_protocol="Http1", use_remote_address=True)
        forward = buildForwarding(config, lambda: b"")
        assert forward is not None
        exchange, request = FakeExchange(), httpRequest()
        exchange.connection.tls = True  # type: ignore[attr-defined]
        forward(exchange, request)
        self.assertEqual(request.headers.get(b"x-forwarded-proto"), b"https")
