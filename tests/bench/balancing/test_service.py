"""Tests of the configuration of the daemon; the programs that start it are run by hand."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.balancing import all_failing, kill_one
from bench.balancing.service import serviceConfig
from bench.place import Place
from mosntx.testing.mesh import MemoryMesh


class ConfigTests(SynchronousTestCase):
    """What the daemon is started with."""

    def test_used(self) -> None:
        """The settings of each program are taken, and reach its cluster."""
        hosts = [{"address": f"10.0.0.{n}:80", "weight": n} for n in (1, 2)]
        place = Place(2045, 0, Path("/nowhere"))
        for cluster, route in (
            (kill_one.CLUSTER, kill_one.ROUTE),
            ({"outlier_detection": {}}, {"retry_policy": all_failing.RETRY}),
        ):
            mesh = MemoryMesh(serviceConfig(place, hosts, cluster, route))
            self.addCleanup(mesh.sidecar.stopService)
            found = mesh.sidecar.clusters.get("application")
            assert found is not None
            self.assertEqual([host.weight for host in found.hosts], [1, 2])
            self.assertIsNotNone(found.config.outlier_detection)
