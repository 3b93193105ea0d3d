"""Tests of `bench.memory.things`: there are as many of a thing as were asked for."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from bench.hotpath.scenes import Http2, Http2Slow
from bench.memory import things
from mosntx.testing.mesh import MemoryMesh

REQUEST = b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n"


class ConfiguredTests(SynchronousTestCase):
    """Things of a configuration."""

    def test_hosts(self) -> None:
        """A cluster has its hosts, with whatever balancer."""
        for balancer in ("LB_ROUNDROBIN", "LB_LEAST_REQUEST"):
            mesh = things.hosts(300, balancer)
            self.assertEqual(mesh.value("membership_total"), 300)

    def test_usedHosts(self) -> None:
        """Each host has had a request, and nothing is open any more."""
        mesh = things.usedHosts(5)
        for number in range(5):
            self.assertEqual(mesh.value("request_total", host=f"127.0.0.{number}:2047"), 1)
        self.assertEqual(mesh.value("connection_active"), 0)

    def test_clusters(self) -> None:
        """There is the cluster of every configuration, and those asked for."""
        self.assertEqual(things.clusters(3).value("membership_total"), 4)

    def test_routes(self) -> None:
        """The last route is reached, the one behind it does not exist."""
        for number, status in ((6, b""), (7, b"404")):
            client = things.routes(7).client("in")
            client.send(REQUEST % (b"/service/%d/" % number, b"a"))
            self.assertEqual(client.take()[9:12], status)

    def test_virtualHosts(self) -> None:
        """The last virtual host has its route."""
        mesh = things.virtualHosts(7)
        mesh.client("in").send(REQUEST % (b"/", b"host-6.example.com"))
        self.assertTrue(mesh.upstream().take())

    def test_listeners(self) -> None:
        """The last listener can be connected to."""
        self.assertFalse(things.listeners(3).client("in-2").closed)


class InFlightTests(SynchronousTestCase):
    """Exchanges under way."""

    def assertActive(self, mesh: MemoryMesh, number: int) -> None:
        """So many requests are under way, downstream."""
        self.assertEqual(mesh.value("request_active", listener="in"), number)

    def test_streams(self) -> None:
        """Streams of one connection wait for their answers, with both engines."""
        for make in (Http2, Http2Slow):
            scene = things.streams(make, 9)
            self.assertActive(scene._meshes[0], 9)

    def test_calls(self) -> None:
        """Calls of one connection wait for their answers."""
        self.assertActive(things.calls(9)._meshes[0], 9)

    def test_requests(self) -> None:
        """Each client waits, and no connection was made for it."""
        mesh, _ = things.requests(9)
        self.assertActive(mesh, 9)
        self.assertEqual(len(mesh.peers), 9 + 9)
        self.assertEqual(mesh.dialled, [])

    def test_table(self) -> None:
        """All that is counted can be made, once few and once more."""
        for name, (grow, few, many) in things.THINGS.items():
            self.assertLess(few, many, name)
            self.assertIsNotNone(partial(grow, 3)(), name)
