"""Tests of `mosntx.filters.transcoder`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.problems import ConfigError
from mosntx.contracts.filters import AFTER_ROUTE, BEFORE_ROUTE, CONTINUE, IStreamFilterFactory
from mosntx.filters.transcoder import (
    HTTP_TO_BOLT,
    TRANSCODED,
    UPSTREAM_PROTOCOL,
    TranscoderConfig,
    TranscoderFactory,
    TranscoderPhase,
)
from mosntx.protocol.bolt.heads import BoltRequest
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead
from mosntx.testing.frames import boltResponse
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeExchange
from tests.proxy.build import MeshTestCase, toCluster

SIMPLE = {"type": "transcoder", "config": {"type": "http2bolt_simple"}}
HTTP2 = Http2RequestHead(b"GET", b"/", b"a", Headers())
GET = b"GET / HTTP/1.1\r\nHost: a\r\nservice: s\r\n\r\n"


def built(type_=HTTP_TO_BOLT, phase=AFTER_ROUTE):
    """The filter for a configuration."""
    config = TranscoderConfig(type=type_, trans=TranscoderPhase(receiver_phase=phase))
    context: Any = None  # it needs none
    return TranscoderFactory().build(config, context)


class FilterTests(SynchronousTestCase):
    """What it says about an exchange."""

    def test_factory(self):
        """It is a row of the catalog; the phase is configured."""
        verifyObject(IStreamFilterFactory, TranscoderFactory())
        self.assertEqual(built(phase=BEFORE_ROUTE).phase, BEFORE_ROUTE)

    def test_refuses(self):
        """Types and phases that there are not."""
        self.assertRaises(ValueError, built, "httpToHttp2")
        self.assertRaises(ValueError, built, "")
        self.assertRaises(ValueError, built, phase=3)
        self.assertRaises(ValueError, built, phase=-1)

    def test_marks(self):
        """Requests of HTTP are to be converted."""
        exchange = FakeExchange(httpRequest())
        self.assertEqual(built().requestHead(exchange, exchange.request, True), CONTINUE)
        self.assertEqual(exchange.attributes[UPSTREAM_PROTOCOL], "bolt")
        self.assertEqual(exchange.attributes[TRANSCODED], HTTP_TO_BOLT)

    def test_http(self):
        """Between the versions of HTTP, each for its own clients."""
        for type_, head, upstream in (
            ("httpTohttp2", httpRequest(), "Http2"),
            ("http2Tohttp", HTTP2, "Http1"),
            ("httpTohttp2", HTTP2, None),
            ("http2Tohttp", httpRequest(), None),
            (HTTP_TO_BOLT, HTTP2, "bolt"),
        ):
            exchange = FakeExchange(head)
            self.assertEqual(built(type_).requestHead(exchange, head, True), CONTINUE)
            self.assertEqual(exchange.attributes.get(UPSTREAM_PROTOCOL), upstream, type_)

    def test_rules(self):
        """Rules are read and not acted on; without a type beside them nothing is converted."""
        config = TranscoderConfig(rules=({"rule_info": {"upstream_protocol": "Http2"}},))
        context: Any = None
        made = TranscoderFactory().build(config, context)
        exchange = FakeExchange(httpRequest())
        self.assertEqual(made.requestHead(exchange, exchange.request, True), CONTINUE)
        self.assertNotIn(UPSTREAM_PROTOCOL, exchange.attributes)

    def test_others(self):
        """Others are not."""
        exchange = FakeExchange(BoltRequest.of())
        self.assertEqual(built().requestHead(exchange, exchange.request, True), CONTINUE)
        self.assertNotIn(UPSTREAM_PROTOCOL, exchange.attributes)


class ProxyTests(MeshTestCase):
    """The filter in a listener."""

    def test_converts(self):
        """Requests go up as frames of Bolt, whatever they look like; failures are 500 (MOSN)."""
        mesh = self.begin(filters=[SIMPLE])
        meshed = GET.replace(
            b"\r\n\r\n", b"\r\nx-mosn-sofarpc-headers-property-protocol: 13\r\n\r\n"
        )
        client, upstream = self.get(meshed)
        self.assertEqual(upstream.take()[:2], b"\x01\x01")
        upstream.send(boltResponse(1, b"yes", [(b"a", b"b")]))
        self.assertEqual(client.take(), b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\na: b\r\n\r\nyes")
        client.send(GET)
        upstream.send(boltResponse(2, b"busy", status=4))
        self.assertStatus(client.take(), 500)
        self.assertEqual(mesh.dialled, [])

    def test_winsOverRoute(self):
        """The filter's word counts more than the route's (spec/config.md 3)."""
        self.begin(toCluster(upstream_protocol="boltv2"), filters=[SIMPLE])
        _client, upstream = self.get(GET)
        self.assertEqual(upstream.take()[:1], b"\x01")

    def test_localReply(self):
        """Answers of our own stay what they are."""
        self.begin({"match": {"prefix": "/"}, "direct_response": {"status": 404}}, filters=[SIMPLE])
        client = self.running.client("front")
        client.send(GET)
        self.assertStatus(client.take(), 404)

    def test_ofRoute(self):
        """A type that there is not, on a route, is an error of the file too."""
        route = {**toCluster(), "per_filter_config": {"transcoder": {"type": "http2bolt"}}}
        error = self.assertRaises(ConfigError, self.begin, route, filters=[SIMPLE])
        self.assertIn("routers[0].per_filter_config.transcoder", str(error))

    def test_configuration(self):
        """A type that there is not, on a listener, is an error of the file."""
        wrong = {"type": "transcoder", "config": {"type": "http2ToHttp"}}
        self.assertRaises(ConfigError, self.begin, filters=[wrong])
