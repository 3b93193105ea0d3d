"""Tests of `mosntx.service.wiring`: jobs that balancers do between other events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from tests.proxy.build import proxyConfig


class Slow(RoundRobinFactory):
    """Has a job to do for each set of hosts."""

    name = "LB_SLOW"

    def __init__(self, steps: int, error: Exception | None = None) -> None:
        self.left = steps
        self.error = error

    def build(self, hosts: Any, settings: Any) -> Any:
        """See `ILoadBalancerFactory.build`."""
        settings.work(self.job())
        return super().build(hosts, settings)

    def job(self) -> Iterator[None]:
        while self.left:
            self.left -= 1
            yield
        if self.error is not None:
            raise self.error


class JobTests(SynchronousTestCase):
    """Steps of jobs."""

    def start(self, factory: Slow) -> MemoryMesh:
        catalog = standardCatalog().extended(balancers=[factory])
        return MemoryMesh(proxyConfig(cluster={"lb_type": factory.name}), catalog=catalog)

    def test_later(self) -> None:
        """A job is done after what caused it, and leaves nothing behind."""
        factory = Slow(50)
        mesh = self.start(factory)
        self.assertEqual(factory.left, 50)
        mesh.advance(0.0)
        self.assertEqual(factory.left, 0)
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual(mesh.timers, 0)

    def test_broken(self) -> None:
        """A job that fails is logged, and requests go on."""
        mesh = self.start(Slow(1, ValueError("no table")))
        mesh.advance(0.0)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        mesh.client("front").send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(len(mesh.dialled), 1)
