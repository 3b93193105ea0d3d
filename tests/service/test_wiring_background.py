"""Tests of `mosntx.service.wiring`: filters that work besides requests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides, implementer

from mosntx.config.problems import ConfigError
from mosntx.contracts.filters import IBackground, IFilterContext
from mosntx.filters.base import StreamFilter
from mosntx.service.catalog import standardCatalog
from mosntx.service.sidecar import Sidecar
from mosntx.testing.mesh import MemoryMesh
from tests.proxy.build import GivenFilter, proxyConfig


@implementer(IBackground)
class Ticking(StreamFilter):
    """Keeps a timer as long as its Sidecar serves."""

    def __init__(self, context: IFilterContext) -> None:
        self._wheel = context.wheel
        self.said: list[str] = []

    def start(self) -> None:
        """See `IBackground.start`."""
        self.said.append("start")
        self._timer = self._wheel.schedule(1.0, self._tick)

    def stop(self) -> None:
        """See `IBackground.stop`."""
        self.said.append("stop")
        self._timer.cancel()

    def _tick(self) -> None:
        self.said.append("tick")
        self._timer = self._wheel.schedule(1.0, self._tick)


class BackgroundTests(SynchronousTestCase):
    """A stream filter of a user."""

    def setUp(self) -> None:
        self.made: list[Ticking] = []
        self.config = proxyConfig(listener={"stream_filters": [{"type": "ticking"}]})

    def make(self, context: IFilterContext) -> Ticking:
        """Make the filter of a chain."""
        self.made.append(Ticking(context))
        return self.made[-1]

    def test_startAndStop(self) -> None:
        """It is told both, once each; a second start makes another filter."""
        catalog = standardCatalog().extended(streamFilters=[GivenFilter("ticking", self.make)])
        mesh = MemoryMesh(self.config, catalog=catalog)
        mesh.advance(2.5)
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual(self.made[0].said[:3], ["start", "tick", "tick"])
        self.assertEqual(self.made[0].said.count("stop"), 1)
        self.assertEqual(mesh.timers, 0)
        mesh.sidecar.startService()
        self.assertEqual([one.said[-1] for one in self.made], ["stop", "start"])
        mesh.sidecar.stopService()
        mesh.advance(2.0)

    def test_broken(self) -> None:
        """One that cannot be stopped is refused with its place."""
        broken = StreamFilter()
        alsoProvides(broken, IBackground)
        rows = [GivenFilter("ticking", lambda _: broken)]
        catalog = standardCatalog().extended(streamFilters=rows)
        with self.assertRaises(ConfigError) as caught:
            Sidecar.fromConfig(self.config, catalog=catalog, dry=True)
        self.assertIn("servers[0].listeners[0].stream_filters[0]", str(caught.exception))
