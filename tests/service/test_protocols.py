"""Tests of `mosntx.service.protocols`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.names import ENGINES
from mosntx.config.schema import Http2Options, ProxyConfig
from mosntx.contracts.codec import FRAMED, MATCH, NEED_MORE, NO_MATCH, PING_PONG, IProtocol
from mosntx.net.detect import detect
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.service.catalog import standardCatalog
from mosntx.service.protocols import http1, http2, http2Engines
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


class Http2Tests(SynchronousTestCase):
    """HTTP/2 with the limits of a listener."""

    def test_upstream(self):
        """Without a listener the standard limits count."""
        protocol: Any = http2(None)
        self.assertEqual((protocol.name, protocol.poolMode), ("Http2", FRAMED))
        self.assertEqual(protocol.limits, Http2Limits())

    def test_keys(self):
        """Each key of the filter becomes its limit."""
        for key, limit, value in (
            ("max_headers", "max_headers", 7),
            ("max_header_size", "max_header_list_size", 1000),
            ("max_request_body_size", "max_body", 5000),
            ("max_requests_per_connection", "max_requests_per_connection", 9),
            ("request_header_timeout", "header_timeout", 3.5),
        ):
            keys: Any = {key: value}
            config = ProxyConfig(downstream_protocol="Http2", **keys)
            protocol: Any = http2(config)
            self.assertEqual(getattr(protocol.limits, limit), value, key)

    def test_largeHeads(self):
        """Heads that may be large may also come so."""
        for size, block, frames in ((1000, 65536, 8), (262144, 262144, 32)):
            protocol: Any = http2(ProxyConfig(downstream_protocol="Http2", max_header_size=size))
            floods = protocol.limits.floods
            self.assertEqual((floods.max_header_block, floods.max_continuations), (block, frames))

    def test_options(self):
        """So does each option of the protocol."""
        for key, limit, value in (
            ("max_concurrent_streams", "max_concurrent_streams", 7),
            ("initial_stream_window", "stream_window", 1000),
            ("initial_connection_window", "connection_window", 70000),
            ("enable_push", "enable_push", False),
            ("enable_connect_protocol", "enable_connect_protocol", False),
            ("settings_timeout", "settings_timeout", 4.0),
            ("window_timeout", "window_timeout", 0.0),
        ):
            options: Any = {key: value}
            config = ProxyConfig(downstream_protocol="Http2", http2=Http2Options(**options))
            protocol: Any = http2(config)
            self.assertEqual(getattr(protocol.limits, limit), value, key)

    def test_engines(self):
        """The one in Python is always there; each that is named makes codecs."""
        engines = http2Engines()
        self.assertIn("h2", engines)
        self.assertEqual(engines - ENGINES, set())
        for engine in engines:
            options = Http2Options(http2_engine=engine)
            http2(ProxyConfig(downstream_protocol="Http2", http2=options)).serverCodec()

    def test_detected(self):
        """`Auto` knows it by its preface, in any cut; HTTP/1 does not claim that."""
        rows = [row(None) for row in standardCatalog().protocols.values()]
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for size in range(1, len(preface)):
            self.assertEqual(detect(rows, preface[:size]), (NEED_MORE, None), size)
        verdict, protocol = detect(rows, preface)
        assert protocol is not None
        self.assertEqual((verdict, protocol.name), (MATCH, "Http2"))
        for octets in (b"PRIX / HTTP/1.1", b"PRI * HTTP/1.1\r\n"):
            self.assertEqual(detect(rows, octets), (NO_MATCH, None))
        for octets in (b"PUT", b"POST", b"PATCH"):
            found = detect(rows, octets)[1]
            assert found is not None
            self.assertEqual(found.name, "Http1")


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
