"""Tests of `mosntx.service.protocols`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import ProxyConfig
from mosntx.contracts.codec import PING_PONG, IProtocol
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.service.catalog import standardCatalog
from mosntx.service.protocols import http1
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import REQUEST, TEXT


class RowTests(SynchronousTestCase):
    """What all rows have in common."""

    def test_rows(self):
        """Each row makes its protocol for upstreams and for listeners."""
        for name, row in standardCatalog().protocols.items():
            for config in (None, ProxyConfig(downstream_protocol=name)):
                protocol = row(config)
                verifyObject(IProtocol, protocol)
                self.assertEqual(protocol.name, name)
                protocol.serverCodec()
                protocol.clientCodec()

    def test_content(self):
        """Protocols of frames take the largest body of a listener's requests."""
        for name in ("bolt", "boltv2", "tr"):
            row: Any = standardCatalog().protocols[name]
            config = ProxyConfig(downstream_protocol=name, max_request_body_size=77)
            self.assertEqual(row(config).limits.max_content, 77)
            self.assertGreater(row(None).limits.max_content, 77)


class Http1Tests(SynchronousTestCase):
    """HTTP/1 with the limits of a listener."""

    def limits(self, **keys):
        protocol: Any = http1(ProxyConfig(downstream_protocol="Http1", **keys))
        return protocol.limits

    def test_upstream(self):
        """Without a listener the standard limits count."""
        protocol: Any = http1(None)
        self.assertEqual((protocol.name, protocol.poolMode), ("Http1", PING_PONG))
        self.assertEqual(protocol.limits, Http1Limits())

    def test_keys(self):
        """Each key of the configuration becomes its limit."""
        for key, limit, value in (
            ("request_header_timeout", "header_timeout", 3.5),
            ("max_request_line", "max_request_line", 100),
            ("max_headers", "max_headers", 7),
            ("max_header_size", "max_header_size", 1000),
            ("max_request_body_size", "max_body", 5000),
            ("max_requests_per_connection", "max_requests_per_connection", 9),
        ):
            self.assertEqual(getattr(self.limits(**{key: value}), limit), value, key)
        self.assertEqual(self.limits(max_pipelined=3).max_backlog, 3072)

    def statusFor(self, limit, request):
        mesh = MemoryMesh(
            TEXT.replace("router_config_name: r}", f"router_config_name: r, {limit}}}")
        )
        client = mesh.client("in")
        client.send(request)
        mesh.hangUp()
        return client.take()[9:12]

    def test_sidecar(self):
        """The limits of a configuration are the ones that clients feel."""
        long = REQUEST.replace(b"/ ", b"/%s " % (b"x" * 100))
        self.assertEqual(self.statusFor("max_request_line: 100", long), b"414")
        more = REQUEST.replace(b"Host", b"A: 1\r\nB: 2\r\nHost")
        self.assertEqual(self.statusFor("max_headers: 2", more), b"431")
        body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"
        self.assertEqual(self.statusFor("max_request_body_size: 10", body), b"413")
        self.assertEqual(self.statusFor("max_request_body_size: 11", body), b"")
