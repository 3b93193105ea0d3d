"""The network filter ``tcp_proxy`` in a whole Sidecar, in memory."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.faultinject import FaultInject, FaultInjectConfig
from mosntx.testing.mesh import MemoryMesh

#: One listener `front` on 2045 with these filters; the clusters `a` of one host, `b` of two.
CONFIG = """
servers:
  - default_log_path: stdout
    graceful_timeout: 10s
    listeners:
      - {{name: front, address: "127.0.0.1:2045", bind_port: true, connection_idle_timeout: 40s,
         filter_chains: [{{filters: [{filters}]}}]}}
    routers: [{{router_config_name: r, virtual_hosts: [{{name: all, domains: ["*"],
        routers: [{{match: {{prefix: /}}, route: {{cluster_name: b}}}}]}}]}}]
cluster_manager: {{clusters: [
    {{name: a, type: SIMPLE, lb_type: LB_RANDOM, connect_timeout: 2s,
      circuit_breakers: [{{max_connections: 2}}], hosts: [{{address: "127.0.0.1:9001"}}]}},
    {{name: b, type: SIMPLE, lb_type: LB_ROUNDROBIN,
      hosts: [{{address: "127.0.0.1:9002"}}, {{address: "127.0.0.1:9003"}}]}}]}}
"""
TO_A = "{type: tcp_proxy, config: {cluster: a}}"
FALLBACK = (
    "{type: proxy, config: {downstream_protocol: Auto, router_config_name: r, "
    "fallback_for_unknown_protocol: true}}, " + TO_A
)


class MeshCase(SynchronousTestCase):
    """A whole Sidecar in memory, which must have forgotten everything in the end."""

    def start(self, filters=TO_A):
        self.mesh = MemoryMesh(CONFIG.format(filters=filters))
        self.addCleanup(self.stop)
        return self.mesh

    def stop(self):
        self.mesh.hangUp()
        self.mesh.advance(10)
        self.assertEqual(self.mesh.value("connection_active"), 0)
        cluster = self.mesh.sidecar.clusters.get("a")
        self.assertEqual(0 if cluster is None else cluster.limits.connections, 0)


class SidecarTests(MeshCase):
    """From configuration to octets."""

    def test_relay(self):
        """Octets from before and after the connect, and those of the host."""
        mesh = self.start()
        client = mesh.client("front")
        client.send(b"early ")
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9001)])
        host = mesh.upstream()
        client.send(b"late")
        host.send(b"answer")
        self.assertEqual((host.take(), client.take()), (b"early late", b"answer"))
        counts = {
            key: mesh.value(key, cluster="a", host="127.0.0.1:9001")
            for key in ("connection_total", "connection_active", "connection_close")
        }
        self.assertEqual(list(counts.values()), [1, 1, 0])
        self.assertEqual(mesh.value("connection_bytes_write", cluster="a"), 10)
        self.assertEqual(mesh.value("connection_bytes_read_total", cluster="a"), 6)

    @given(st.lists(st.tuples(st.booleans(), st.binary(max_size=20)), max_size=20), st.integers(0))
    def test_anyCuts(self, sent, when):
        """However octets are cut and whenever the host answers, both sides get them whole."""
        mesh = MemoryMesh(CONFIG.format(filters=TO_A))
        client = mesh.client("front")
        host = None
        there, back = b"", b""
        for number, (up, octets) in enumerate(sent):
            if number == when:
                host = mesh.upstream()
            if up or host is None:
                client.send(octets)
                there += octets
            else:
                host.send(octets)
                back += octets
        host = mesh.upstream() if host is None else host
        self.assertEqual((host.take(), client.take()), (there, back))
        mesh.hangUp()

    def test_manyOctetsBeforeTheHost(self):
        """A client that sends much before there is a host is not read any more."""
        mesh = self.start()
        client = mesh.client("front")
        client.send(b"x" * 32768)
        self.assertTrue(client.reading)
        client.send(b"y")
        self.assertFalse(client.reading)
        host = mesh.upstream()
        self.assertTrue(client.reading)
        self.assertEqual(host.take(), b"x" * 32768 + b"y")

    def test_backPressure(self):
        """Each side waits for the other one."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        host.block()
        self.assertEqual((client.reading, host.reading), (False, True))
        host.unblock()
        client.block()
        self.assertEqual((client.reading, host.reading), (True, False))
        client.unblock()
        self.assertEqual((client.reading, host.reading), (True, True))

    def test_clientCloses(self):
        """What a client has sent before its close reaches the host, then the close does."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        client.send(b"bye")
        client.finish()
        self.assertEqual((host.take(), host.transport.writeEnded), (b"bye", True))
        mesh.advance(0)
        self.assertTrue(client.transport.lost)
        host.finish()
        mesh.advance(0)
        self.assertTrue(host.transport.lost)
        self.assertEqual(mesh.value("connection_local_close", host="127.0.0.1:9001"), 1)

    def test_clientClosesBeforeTheHostIsThere(self):
        """Fire and forget: octets and a close that come before the connect are not lost."""
        mesh = self.start()
        client = mesh.client("front")
        client.send(b"log line")
        client.finish()
        host = mesh.upstream()
        self.assertEqual((host.take(), host.transport.writeEnded), (b"log line", True))

    def test_silentClientCloses(self):
        """A client that leaves before the connect without a word ends it."""
        mesh = self.start()
        client = mesh.client("front")
        client.finish()
        mesh.advance(0)
        self.assertEqual(mesh.reactor.connectors[0].stoppedConnecting, True)
        self.assertEqual(mesh.sidecar.clusters.get("a").limits.connections, 0)

    def test_hostCloses(self):
        """What a host has sent before its close reaches the client, then the close does."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        host.send(b"bye")
        host.finish()
        self.assertEqual((client.take(), client.transport.writeEnded), (b"bye", True))
        self.assertEqual(mesh.value("connection_remote_close", host="127.0.0.1:9001"), 1)

    def test_reset(self):
        """A reset of one side cuts the other."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        host.reset()
        self.assertTrue(client.transport.disconnecting)

    def test_connectTimeout(self):
        """The cluster's time for a connect counts."""
        mesh = self.start()
        client = mesh.client("front")
        mesh.advance(1.9)
        self.assertFalse(client.closed)
        mesh.advance(0.2)
        self.assertTrue(client.closed)
        self.assertEqual(mesh.value("request_timeout", host="127.0.0.1:9001"), 1)

    def test_nextHost(self):
        """The second host is tried when the first refuses, then the client is closed."""
        mesh = self.start("{type: tcp_proxy, config: {cluster: b}}")
        client = mesh.client("front")
        first = mesh.dialled
        mesh.refuse()
        self.assertNotEqual(mesh.dialled, first)
        mesh.refuse()
        self.assertTrue(client.closed)
        self.assertEqual(mesh.dialled, [])
        self.assertEqual(mesh.value("connection_retry"), 1)

    def test_limit(self):
        """`max_connections` of the cluster counts."""
        mesh = self.start()
        clients = [mesh.client("front") for _ in range(3)]
        self.assertEqual([client.closed for client in clients], [False, False, True])

    def test_idle(self):
        """The listener's idle timeout ends a relay on which nothing moves in any direction."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        for _ in range(5):
            mesh.advance(30)
            host.send(b"x")
        self.assertFalse(client.closed)
        mesh.advance(51)
        self.assertTrue(client.closed)
        self.assertTrue(host.closed)

    def test_ownIdleTimeout(self):
        """`idle_timeout` of the filter ends it earlier."""
        mesh = self.start("{type: tcp_proxy, config: {cluster: a, idle_timeout: 5s}}")
        client = mesh.client("front")
        host = mesh.upstream()
        mesh.advance(4.9)
        self.assertFalse(client.closed)
        mesh.advance(2)
        self.assertTrue(client.closed and host.closed)

    def test_drain(self):
        """A relay goes on while the Sidecar drains, and is cut when the time is over."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        stopped = mesh.sidecar.stopService()
        mesh.advance(9)
        client.send(b"still here")
        self.assertEqual(host.take(), b"still here")
        self.assertNoResult(stopped)
        mesh.advance(2)
        self.assertTrue(client.transport.lost and host.transport.lost)
        self.successResultOf(stopped)

    def test_routes(self):
        """The first route that matches the two addresses decides."""
        routes = (
            '{cluster: b, source_addrs: ["10.0.0.0/8"]}, {cluster: b, destination_port: "1-2044"}, '
            '{cluster: a, SourceAddrs: [{Address: "127.0.0.0", Length: 8}], '
            'DestinationPort: "80,2045"}, {cluster: b}'
        )
        mesh = self.start(f"{{type: tcp_proxy, config: {{routes: [{routes}]}}}}")
        self.assertEqual([problem.path for problem in mesh.sidecar.loaded.problems], [])
        mesh.client("front")
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9001)])

    def test_noRoute(self):
        """A client that no route wants is closed."""
        routes = '[{cluster: a, source_port: "1-2"}]'
        mesh = self.start(f"{{type: tcp_proxy, config: {{routes: {routes}}}}}")
        self.assertTrue(mesh.client("front").closed)
        self.assertEqual(mesh.dialled, [])

    def test_removedCluster(self):
        """A cluster that is removed takes no client any more; relays of before go on."""
        mesh = self.start()
        client = mesh.client("front")
        host = mesh.upstream()
        mesh.sidecar.clusters.remove("a")
        self.assertTrue(mesh.client("front").closed)
        client.send(b"x")
        self.assertEqual(host.take(), b"x")

    def test_heldByAFilterInFront(self):
        """Octets that ``fault_inject`` delays come late, in order, and none is lost."""
        mesh = self.start(
            "{type: fault_inject, config: {delay_percent: 100, delay_duration: 1s}}, " + TO_A
        )
        client = mesh.client("front")
        client.send(b"one ")
        host = mesh.upstream()
        mesh.advance(0.5)
        self.assertEqual(host.take(), b"")
        client.send(b"two ")
        mesh.advance(0.6)
        self.assertEqual(host.take(), b"one two ")
        host.send(b"back")
        client.send(b"three")
        self.assertEqual((host.take(), client.take()), (b"", b"back"))
        mesh.advance(1.1)
        self.assertEqual(host.take(), b"three")

    def test_heldOnlyLater(self):
        """The same for octets that are delayed after the first ones have come through."""
        wheel = self.start().sidecar._context.wheel
        front = FaultInject(FaultInjectConfig(), wheel, Random(1))
        listener = self.mesh.sidecar.listeners["front"]
        listener.filterFactories = [front, *listener.filterFactories]
        client = self.mesh.client("front")
        client.send(b"one ")
        front.config = FaultInjectConfig(delay_percent=100, delay_duration=1.0)
        client.send(b"two ")
        host = self.mesh.upstream()
        self.mesh.advance(1.1)
        client.send(b"three")
        self.mesh.advance(1.1)
        self.assertEqual(host.take(), b"one two three")

    def test_filterBehind(self):
        """A filter behind a `tcp_proxy` gets nothing: the connection is given away."""
        mesh = self.start(TO_A + ", {type: tcp_proxy, config: {cluster: b}}")
        client = mesh.client("front")
        client.send(b"x")
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9001)])
        self.assertEqual(mesh.upstream().take(), b"x")


class FallbackTests(MeshCase):
    """Behind a `proxy` that passes on what it does not know (spec/tests.md 13 to 15)."""

    def test_unknown(self):
        """Octets that are no known protocol are relayed, the first ones included."""
        mesh = self.start(FALLBACK)
        client = mesh.client("front")
        self.assertEqual(mesh.dialled, [])
        client.send(b"\x00\x01\x02\x03\x04\x05\x06\x07")
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9001)])
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        host = mesh.upstream()
        client.send(b"more")
        host.send(b"answer")
        self.assertEqual(client.take(), b"answer")
        sent = b"\x00\x01\x02\x03\x04\x05\x06\x07GET / HTTP/1.1\r\nHost: a\r\n\r\nmore"
        self.assertEqual(host.take(), sent)
        self.assertEqual(mesh.value("protocol_error_total", listener="front"), 0)

    def test_known(self):
        """A request goes the way of requests."""
        mesh = self.start(FALLBACK)
        client = mesh.client("front")
        for part in (b"G", b"E", b"T / HTTP/1.1\r\nHost: a\r\n\r\n"):
            client.send(part)
        self.assertIn(mesh.dialled[0][1], (9002, 9003))
        self.assertTrue(mesh.upstream().take().startswith(b"GET / HTTP/1.1\r\n"))
        self.assertEqual(mesh.dialled, [])

    def test_undecided(self):
        """Octets that stay undecided are relayed after a while, a silent client never is."""
        mesh = self.start(FALLBACK)
        silent, client = mesh.client("front"), mesh.client("front")
        client.send(b"b")
        client.send(b"b")
        mesh.advance(14)
        self.assertEqual(mesh.dialled, [])
        mesh.advance(2)
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9001)])
        host = mesh.upstream()
        client.send(b"GET")
        self.assertEqual((host.take(), mesh.dialled, silent.closed), (b"bbGET", [], False))

    def test_backPressure(self):
        """The filter in front does not hinder pausing, nor closing."""
        mesh = self.start(FALLBACK)
        client = mesh.client("front")
        client.send(b"12345678")
        host = mesh.upstream()
        host.block()
        self.assertFalse(client.reading)
        host.unblock()
        self.assertTrue(client.reading)
        client.send(b"9")
        client.finish()
        self.assertEqual((host.take(), host.transport.writeEnded), (b"123456789", True))

    def test_noHandOverTwice(self):
        """Requests and the host of the fallback do not get in each other's way."""
        mesh = self.start(FALLBACK)
        client = mesh.client("front")
        client.send(b"GE")
        mesh.advance(1)
        client.send(b"T / HTTP/1.1\r\nHost: a\r\n\r\n")
        mesh.upstream().send(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertTrue(client.take().startswith(b"HTTP/1.1 204 "))
        mesh.advance(20)
        self.assertEqual((mesh.dialled, client.closed), ([], False))

    def test_clientLeaves(self):
        """A client that leaves in the middle is forgotten by both filters."""
        mesh = self.start(FALLBACK)
        mesh.client("front").send(b"12345678")
        mesh.peers[0].reset()
        mesh.advance(0)
        self.assertTrue(mesh.reactor.connectors[0].stoppedConnecting)
        self.assertEqual(mesh.value("connection_active", listener="front"), 0)
