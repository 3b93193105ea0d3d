"""Tests of `bench.curves.points`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.curves.points import EXACT, FILTERS, PREFIX, Point, document, hostAddresses, placeOf
from bench.curves.sweeps import SWEEPS
from bench.place import BOLT
from mosntx.testing.frames import boltRequest
from mosntx.testing.mesh import MemoryMesh


def made(point: Point) -> dict[str, Any]:
    """Return the configuration of a point."""
    return document(point, placeOf(point, 2045, 2047, Path("/nowhere")), 2046)


class DocumentTests(SynchronousTestCase):
    """What a daemon is configured with."""

    def test_lastRoute(self) -> None:
        """The path of a point reaches its last rule, and no other."""
        for kind in (EXACT, PREFIX):
            point = Point(routes=12, rule=kind)
            value = made(point)
            (router,) = value["servers"][0]["routers"]
            rules = router["virtual_hosts"][0]["routers"]
            rules[11] = {"match": rules[11]["match"], "direct_response": {"status": 204}}
            client = MemoryMesh(value).client("bench")
            client.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % point.path.encode())
            self.assertIn(b" 204 ", client.take().partition(b"\r\n")[0], kind)

    def test_bolt(self) -> None:
        """Calls reach the host although they have no path."""
        mesh = MemoryMesh(made(Point(BOLT, connections=3)))
        mesh.client("bench").send(boltRequest(7, b"?", [(b"service", b"s")]))
        self.assertTrue(mesh.upstream().take())

    def test_hosts(self) -> None:
        """A thousand hosts are a thousand addresses of this machine."""
        addresses = hostAddresses(1000)
        self.assertEqual(len(set(addresses)), 1000)
        for address in addresses:
            first, *parts = map(int, address.split("."))
            self.assertEqual(first, 127)
            self.assertTrue(all(0 <= part <= 255 for part in parts))
        hosts = made(Point(hosts=3))["cluster_manager"]["clusters"][0]["hosts"]
        self.assertEqual(
            [host["address"] for host in hosts],
            ["127.0.0.1:2047", "127.0.0.2:2047", "127.0.0.3:2047"],
        )

    def test_filters(self) -> None:
        """Filters let every request pass."""
        for name in FILTERS:
            mesh = MemoryMesh(made(Point(filters=(name,) * 8)))
            mesh.client("bench").send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertTrue(mesh.upstream().take().startswith(b"GET / "), name)

    def test_processes(self) -> None:
        """Only daemons that are several share their port."""
        for number in (1, 2):
            (listener,) = made(Point(processes=number))["servers"][0]["listeners"]
            self.assertEqual(listener.get("reuseport", False), number == 2)

    def test_all(self) -> None:
        """Whatever a curve asks for is a configuration without mistakes."""
        points = {point for sweep in SWEEPS for each in sweep.series.values() for point in each}
        for point in points:
            MemoryMesh(made(point))
