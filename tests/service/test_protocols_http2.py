"""Tests of `mosntx.service.protocols`: HTTP/2 as a configuration has it, felt by peers."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Http2Keepalive, Http2Options, Http2UpstreamOptions, ProxyConfig
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.service.protocols import clientKeepalive, http2Upstream
from mosntx.stats.prometheus import Exposition
from mosntx.testing import h2frames as h2
from mosntx.testing.mesh import MemoryMesh, Peer
from tests.service.build import REQUEST, TEXT

HELLO = h2.PREFACE + h2.settings() + h2.settingsAck()
SETTING_STREAMS, SETTING_WINDOW, SETTING_FIELDS = 3, 4, 6


def listener(options: str = "{}", more: str = "") -> str:
    """Return a configuration with such a listener."""
    proxy = (
        f"downstream_protocol: Http2, extend_config: {{Http2: {options}}}, router_config_name: r"
    )
    return TEXT.replace("downstream_protocol: Http1, router_config_name: r", proxy).replace(
        "        bind_port: true\n", f"        bind_port: true\n{more}"
    )


def upstream(keys: str) -> str:
    """Return a configuration with such a cluster, spoken to in HTTP/2."""
    return TEXT.replace(
        "route: {cluster_name: c}", "route: {cluster_name: c, upstream_protocol: Http2}"
    ).replace("      lb_type: LB_RANDOM\n", f"      lb_type: LB_RANDOM\n      {keys}\n")


class UpstreamTests(SynchronousTestCase):
    """Options of a cluster."""

    def test_options(self) -> None:
        """Each option becomes its limit; what is counted goes where it was said."""
        counters = Http2Counters()
        for key, limit, value in (
            ("max_concurrent_streams", "max_concurrent_streams", 7),
            ("initial_stream_window", "stream_window", 1000),
            ("initial_connection_window", "connection_window", 70000),
            ("max_header_size", "max_header_list_size", 1000),
            ("max_headers", "max_headers", 9),
            ("enable_push", "enable_push", False),
        ):
            options: Any = {key: value}
            protocol: Any = http2Upstream(Http2UpstreamOptions(**options), counters)
            self.assertEqual(getattr(protocol.limits, limit), value, key)
            self.assertIs(protocol.counters, counters)

    def test_largeHeads(self) -> None:
        """Heads that may be large may also come so."""
        protocol: Any = http2Upstream(Http2UpstreamOptions(max_header_size=262144), Http2Counters())
        floods = protocol.limits.floods
        self.assertEqual((floods.max_header_block, floods.max_continuations), (262144, 32))

    def test_settings(self) -> None:
        """What a cluster says is what its hosts are told."""
        keys = "protocol_options: {Http2: {initial_stream_window: 99999, max_header_size: 7777}}"
        mesh = MemoryMesh(upstream(keys))
        mesh.client("in").send(REQUEST)
        host = mesh.upstream()
        frames = h2.parseFrames(host.take().removeprefix(h2.PREFACE))
        told = h2.readSettings(frames[0].payload)
        self.assertEqual((told[SETTING_WINDOW], told[SETTING_FIELDS]), (99999, 7777))
        mesh.hangUp()

    def test_streams(self) -> None:
        """More requests than a connection may carry take another one, not more streams."""
        mesh = MemoryMesh(upstream("protocol_options: {Http2: {max_concurrent_streams: 2}}"))
        for _ in range(3):
            mesh.client("in").send(REQUEST)
        hosts = [mesh.upstream(), mesh.upstream()]
        begun = []
        for host in hosts:
            host.send(h2.settings())
            frames = h2.parseFrames(host.take().removeprefix(h2.PREFACE))
            begun.append(sum(frame.type == h2.HEADERS for frame in frames))
        self.assertEqual(begun, [2, 1])
        mesh.hangUp()

    def test_counted(self) -> None:
        """What hosts do to streams is in the stats of their cluster."""
        mesh = MemoryMesh(upstream("protocol_options: {}"))
        mesh.client("in").send(REQUEST)
        host = mesh.upstream()
        host.send(h2.settings() + h2.rstStream(1))
        self.assertEqual(mesh.value("http2_reset_received_total", cluster="c"), 1)
        host.send(h2.goAway())
        self.assertEqual(mesh.value("http2_goaway_received_total", cluster="c"), 1)
        mesh.hangUp()


class ClientKeepaliveTests(SynchronousTestCase):
    """PING to clients."""

    def test_none(self) -> None:
        """0 is never."""
        clock = Clock()
        wheel = TimerWheel(clock, clock.seconds)
        options = Http2Options(keepalive=Http2Keepalive(interval=0.0))
        config = ProxyConfig(downstream_protocol="Http2", http2=options)
        self.assertIsNone(clientKeepalive(config, wheel))
        self.assertIsNotNone(clientKeepalive(ProxyConfig(downstream_protocol="Http2"), wheel))

    def test_times(self) -> None:
        """A client is asked after the interval, and cut when its answer takes too long."""
        mesh = MemoryMesh(listener("{keepalive: {interval: 8s, timeout: 2s}}"))
        client = mesh.client("in")
        client.send(HELLO + h2.request())
        mesh.upstream()
        client.take()
        for _ in range(11):
            mesh.advance(1)
        kinds = [frame.type for frame in h2.parseFrames(client.take())]
        self.assertEqual(kinds, [h2.PING])
        self.assertFalse(client.closed)
        for _ in range(3):
            mesh.advance(1)
        self.assertTrue(client.closed)
        self.assertEqual(mesh.value("http2_timeout_ping_total", listener="in"), 1)
        mesh.hangUp()


class ListenerTests(SynchronousTestCase):
    """Times and counters of a listener."""

    def connected(self, mesh: MemoryMesh) -> Peer:
        """Return a client that has said hello."""
        client = mesh.client("in")
        client.send(HELLO)
        client.take()
        return client

    def test_idle(self) -> None:
        """A connection without requests is closed after the idle timeout, with a GOAWAY."""
        mesh = MemoryMesh(listener(more="        connection_idle_timeout: 20s\n"))
        client = self.connected(mesh)
        for _ in range(19):
            mesh.advance(1)
        self.assertFalse(client.closed)
        for _ in range(7):
            mesh.advance(1)
        self.assertTrue(client.closed)
        self.assertEqual([frame.type for frame in h2.parseFrames(client.take())], [h2.GOAWAY])
        mesh.hangUp()

    def test_silent(self) -> None:
        """A client that never says hello is sent away, and counted."""
        mesh = MemoryMesh(listener("{settings_timeout: 4s}"))
        client = mesh.client("in")
        for _ in range(6):
            mesh.advance(1)
        mesh.hangUp()
        self.assertTrue(client.closed)
        self.assertEqual(mesh.value("http2_timeout_preface_total", listener="in"), 1)

    def test_flood(self) -> None:
        """A flood is counted by its kind, with the listener and in all, and in Prometheus."""
        mesh = MemoryMesh(listener())
        client = self.connected(mesh)
        client.send(h2.ping() * 1001)
        store = mesh.sidecar.stats
        text = Exposition(store.samples, store.histograms).render().decode()
        for labels in ({"listener": "in"}, {"proxy": "global"}):
            self.assertEqual(mesh.value("http2_flood_pings_total", **labels), 1)
            self.assertEqual(mesh.value("http2_goaway_sent_total", **labels), 1)
        self.assertIn('downstream_http2_flood_pings_total{listener="in"} 1', text)
        mesh.hangUp()

    def test_refused(self) -> None:
        """Refused and reset streams are counted."""
        mesh = MemoryMesh(listener("{max_concurrent_streams: 1}"))
        client = self.connected(mesh)
        client.send(h2.request(1) + h2.request(3) + h2.rstStream(1))
        self.assertEqual(mesh.value("http2_refused_sent_total", listener="in"), 1)
        self.assertEqual(mesh.value("http2_reset_received_total", listener="in"), 1)
        mesh.hangUp()
