"""Tests of `mosntx.proxy.mirror`: copies that nobody waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import IStreamFilterFactory
from mosntx.proxy.mirror import LONGEST, MirrorConfig, MirrorFactory
from mosntx.testing.contracts.filter import FakeFilterContext, FilterSuite
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.h2frames import DATA, HEADERS, PREFACE, parseFrames, settings
from mosntx.testing.h2frames import data as h2data
from mosntx.testing.h2frames import request as h2request
from mosntx.testing.mesh import MemoryMesh, Peer
from mosntx.testing.trframes import trRequest
from tests.proxy.build import GET, OK, MeshTestCase, post, proxyConfig, toCluster
from tests.proxy.test_exchange_bolt import SERVICE, rpcRoute

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: t\r\n\r\n"


class MirrorSuiteTests(FilterSuite, SynchronousTestCase):
    """The contract of stream filters."""

    def factory(self) -> IStreamFilterFactory:
        """See `FilterSuite`."""
        return MirrorFactory()

    def configs(self) -> Sequence[Any]:
        """See `FilterSuite`."""
        return [MirrorConfig(), MirrorConfig(amplification=2), MirrorConfig(broadcast=True)]

    def test_bad(self) -> None:
        """Numbers of copies that make no sense."""
        for number in (0, 101):
            with self.assertRaises(ValueError):
                MirrorFactory().build(MirrorConfig(amplification=number), FakeFilterContext())


class MirrorTestCase(MeshTestCase):
    """A test with the clusters ``app``, at 9001, and ``copy``, from 9101 on."""

    def mirrored(
        self,
        route: dict[str, Any] | None = None,
        *,
        percent: int = 100,
        copies: int = 1,
        cluster: dict[str, Any] | None = None,
        more: Sequence[dict[str, Any]] = (),
        proxy: dict[str, Any] | None = None,
        **config: Any,
    ) -> MemoryMesh:
        """Start a Sidecar; keywords left over are the filter's."""
        policy = {"cluster": "copy", "percent": percent}
        route = {**(route or toCluster()), "request_mirror_policies": policy}
        copy = {
            "name": "copy",
            "lb_type": "LB_ROUNDROBIN",
            "hosts": [{"address": f"127.0.0.1:{9101 + number}"} for number in range(copies)],
            **(cluster or {}),
        }
        filters = [{"type": "mirror", "config": config}, *more]
        # `begin` knows one cluster only
        written = proxyConfig(route, proxy=proxy, listener={"stream_filters": filters})
        written["cluster_manager"]["clusters"].append(copy)
        return self.beginWith(written)

    def exchanged(self, octets: bytes = GET) -> tuple[Peer, Peer, Peer]:
        """Send a request on a new connection; return client, mirror and upstream."""
        mesh = self.running
        client = mesh.client("front")
        client.send(octets)
        self.assertEqual([port for _, port in mesh.dialled], [9101, 9001])
        return client, mesh.upstream(), mesh.upstream()

    def assertCounts(self, begun: int, failed: int = 0, dropped: int = 0) -> None:
        """Check the counters of copies."""
        keys = ("request_mirror_total", "request_mirror_failed", "request_mirror_dropped")
        counts = tuple(self.running.value(key, listener="front") for key in keys)
        self.assertEqual(counts, (begun, failed, dropped))


class Http1Tests(MirrorTestCase):
    """Copies over HTTP/1."""

    def test_copied(self) -> None:
        """Both get the same request; the client gets the answer of one."""
        self.mirrored()
        client, mirror, upstream = self.exchanged()
        self.assertEqual(mirror.take(), upstream.take())
        mirror.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nmine")
        self.assertEqual(client.take(), b"")
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertCounts(1)
        self.assertEqual(self.running.value("response_failed", host="127.0.0.1:9101"), 1)
        self.assertEqual(self.running.value("request_active", cluster="copy"), 0)

    def test_body(self) -> None:
        """A body and its trailers are copied when they have come to their end."""
        mesh = self.mirrored()
        client = mesh.client("front")
        client.send(CHUNKED + b"3\r\nabc\r\n")
        upstream = mesh.upstream()
        self.assertEqual(mesh.dialled, [])
        client.send(b"2\r\nde\r\n0\r\nt: 1\r\n\r\n")
        mirror = mesh.upstream()
        self.assertTrue(mirror.take().endswith(b"\r\n\r\n5\r\nabcde\r\n0\r\nt: 1\r\n\r\n"))
        self.assertTrue(upstream.take().endswith(b"2\r\nde\r\n0\r\nt: 1\r\n\r\n"))
        self.assertCounts(1)

    def test_original(self) -> None:
        """The copy is what the client sent: rewrites of the route are for its own cluster."""
        added = [{"header": {"key": "x", "value": "1"}}]
        self.mirrored(toCluster(prefix_rewrite="/new/", request_headers_to_add=added))
        _client, mirror, upstream = self.exchanged()
        self.assertTrue(upstream.take().startswith(b"GET /new/ HTTP/1.1\r\n"))
        self.assertEqual(mirror.take(), GET)

    def test_tooLarge(self) -> None:
        """A body above the limit is not copied, and passes."""
        mesh = self.mirrored(max_body=4)
        client = mesh.client("front")
        client.send(post(b"12345"))
        upstream = mesh.upstream()
        self.assertEqual(mesh.dialled, [])
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertCounts(0, dropped=1)

    def test_percent(self) -> None:
        """As many of 100 requests are copied, within two points of chance."""
        mesh = self.mirrored(percent=30)
        client = mesh.client("front")
        client.send(GET)
        while len(mesh.dialled) > 1:
            mesh.refuse()
        upstream = mesh.upstream()
        for _ in range(999):
            upstream.send(OK)
            client.send(GET)
            while mesh.dialled:
                mesh.refuse()
        upstream.send(OK)
        self.assertApproximates(mesh.value("request_mirror_total", listener="front"), 300, 45)
        self.assertEqual(client.take().count(b"200 OK"), 1000)

    def test_off(self) -> None:
        """Nothing is copied at 0 percent, nor what the route answers itself."""
        answer = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
        for route, percent in ((None, 0), (answer, 100)):
            mesh = self.mirrored(route, percent=percent)
            client = mesh.client("front")
            client.send(GET)
            self.assertNotIn(9101, [port for _, port in mesh.dialled])
            self.assertCounts(0)
            self.tearDown()

    def test_broadcast(self) -> None:
        """Every host of the mirror gets each request once (scenario 153)."""
        mesh = self.mirrored(copies=3, broadcast=True)
        client = mesh.client("front")
        client.send(GET)
        self.assertEqual([port for _, port in mesh.dialled], [9101, 9102, 9103, 9001])
        peers = [mesh.upstream() for _ in range(4)]
        for _ in range(3):
            self.assertEqual([peer.take() for peer in peers], [GET] * 4)
            for peer in peers:
                peer.send(OK)
            client.send(GET)
        self.assertEqual(client.take(), OK * 3)
        self.assertCounts(12)

    def test_perRoute(self) -> None:
        """The route's own settings replace the filter's."""
        route = {**toCluster(), "per_filter_config": {"mirror": {"amplification": 3}}}
        mesh = self.mirrored(route, copies=2, broadcast=True)
        mesh.client("front").send(GET)
        self.assertEqual(len(mesh.dialled), 4)  # broadcast would be three

    def test_amplification(self) -> None:
        """A host may get several copies."""
        mesh = self.mirrored(amplification=2)
        mesh.client("front").send(GET)
        self.assertEqual([port for _, port in mesh.dialled], [9101, 9101, 9001])
        self.assertCounts(2)


class FailureTests(MirrorTestCase):
    """Whatever happens to a copy, the client does not see it."""

    def finish(self, client: Peer, upstream: Peer) -> None:
        """The request itself goes well."""
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_refused(self) -> None:
        """No connection to the mirror: counted once, not tried again."""
        mesh = self.mirrored()
        client = mesh.client("front")
        client.send(GET)
        mesh.refuse()
        mesh.advance(1.0)
        self.finish(client, mesh.upstream())
        self.assertEqual(mesh.dialled, [])
        self.assertCounts(1, failed=1)

    def test_broken(self) -> None:
        """The mirror hangs up in the middle of its answer."""
        self.mirrored()
        client, mirror, upstream = self.exchanged()
        mirror.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
        mirror.reset()
        self.finish(client, upstream)
        self.assertCounts(1, failed=1)

    def test_silent(self) -> None:
        """A mirror that never answers is left at the time limit of the route, or after a minute."""
        for action, limit in (({"timeout": "2s"}, 2.0), ({"timeout": "-1s"}, LONGEST)):
            mesh = self.mirrored(toCluster(**action))
            client, mirror, upstream = self.exchanged()
            self.finish(client, upstream)
            mesh.advance(limit - 0.5)
            self.assertFalse(mirror.closed)
            mesh.advance(1.0)
            self.assertTrue(mirror.closed)
            self.assertCounts(1, failed=1)
            self.tearDown()

    def test_noHosts(self) -> None:
        """A mirror without hosts."""
        mesh = self.mirrored(copies=0)
        client = mesh.client("front")
        client.send(GET)
        self.finish(client, mesh.upstream())
        self.assertCounts(0, failed=1)

    def test_circuitBreaker(self) -> None:
        """The limits of the mirror's cluster hold for copies."""
        limits = [{"max_requests": 1}]
        mesh = self.mirrored(amplification=3, cluster={"circuit_breakers": limits})
        client = mesh.client("front")
        client.send(GET)
        self.assertEqual([port for _, port in mesh.dialled], [9101, 9001])
        mesh.refuse()
        self.finish(client, mesh.upstream())
        self.assertCounts(1, failed=1, dropped=2)

    def test_clientGone(self) -> None:
        """A request that never ended is not copied."""
        mesh = self.mirrored()
        client = mesh.client("front")
        client.send(CHUNKED + b"3\r\nabc\r\n")
        mesh.upstream()
        client.reset()
        self.assertEqual(mesh.dialled, [])
        self.assertCounts(0)


class ProtocolTests(MirrorTestCase):
    """Other protocols."""

    def test_bolt(self) -> None:
        """A frame is copied octet by octet, but for its id; one-way requests too."""
        mesh = self.mirrored(rpcRoute(), proxy={"downstream_protocol": "bolt"})
        client = mesh.client("front")
        client.send(boltRequest(7, b"content", SERVICE))
        upstream, mirror = mesh.upstream(), mesh.upstream()
        self.assertEqual(mirror.take(), boltRequest(1, b"content", SERVICE))
        self.assertEqual(upstream.take(), boltRequest(1, b"content", SERVICE))
        mirror.send(boltResponse(1, b"mine"))
        upstream.send(boltResponse(1, b"yours"))
        self.assertEqual(client.take(), boltResponse(7, b"yours"))
        client.send(boltRequest(8, b"", SERVICE, oneway=True))
        self.assertEqual(mirror.take(), boltRequest(2, b"", SERVICE, oneway=True))
        self.assertEqual(self.running.value("request_active", cluster="copy"), 0)
        self.assertCounts(2)

    def test_tr(self) -> None:
        """Frames of TR are copied too."""
        mesh = self.mirrored(rpcRoute(), proxy={"downstream_protocol": "tr"})
        client = mesh.client("front")
        client.send(trRequest(5, b"\x05hello"))
        taken = [upstream.take() for upstream in (mesh.upstream(), mesh.upstream())]
        self.assertEqual(taken, [trRequest(1, b"\x05hello")] * 2)
        self.assertCounts(1)

    def test_http2(self) -> None:
        """A request of HTTP/2, with its body, is copied to upstreams that speak it."""
        mesh = self.mirrored(proxy={"downstream_protocol": "Http2"})
        client = mesh.client("front")
        fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a")]
        fields.append((b":authority", b"a"))
        client.send(PREFACE + settings() + h2request(1, fields, False) + h2data(1, b"abc", True))
        bodies = []
        for _ in range(2):
            upstream = mesh.upstream()
            mesh.advance(0)
            upstream.send(settings())
            octets = upstream.take().removeprefix(PREFACE)
            bodies.append([one.payload for one in parseFrames(octets) if one.type == DATA])
            self.assertEqual(sum(one.type == HEADERS for one in parseFrames(octets)), 1)
        self.assertEqual([b"".join(parts) for parts in bodies], [b"abc", b"abc"])
        self.assertCounts(1)

    def test_converted(self) -> None:
        """With a protocol named for upstreams the copy is sent in that, too (MOSN sends none)."""
        route = toCluster(upstream_protocol="bolt")
        mesh = self.mirrored(route)
        client = mesh.client("front")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nservice: s\r\n\r\n")
        mirror, upstream = mesh.upstream(), mesh.upstream()
        self.assertEqual(mirror.take(), upstream.take())
        mirror.send(boltResponse(1, b"mine"))
        upstream.send(boltResponse(1, b"yours"))
        self.assertIn(b"yours", client.take())
        self.assertCounts(1)
