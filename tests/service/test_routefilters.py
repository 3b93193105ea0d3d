"""Tests of `mosntx.service.routefilters`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.problems import ConfigError
from mosntx.config.schema import RouterConfig
from mosntx.filters.fault import FaultAbort, FaultConfig, FaultFactory
from mosntx.filters.payload_limit import PayloadLimitConfig, PayloadLimitFactory
from mosntx.router.errors import RouterConfigError
from mosntx.service.routefilters import checkFilterConfigs
from mosntx.testing.contracts.filter import FakeFilterContext
from mosntx.testing.mesh import MemoryMesh
from tests.proxy.build import proxyConfig, toCluster
from tests.router.build import config, host

FACTORIES: dict[str, Any] = {"fault": FaultFactory(), "payload_limit": PayloadLimitFactory()}
BAD = FaultConfig(abort=FaultAbort(percentage=200))


def problems(router: RouterConfig) -> list[str]:
    """Where something is wrong."""
    try:
        checkFilterConfigs(router, FACTORIES, FakeFilterContext())
    except RouterConfigError as error:
        return [path for path, _ in error.problems]
    return []


class CheckTests(SynchronousTestCase):
    """What is refused."""

    def test_all(self) -> None:
        """Every setting that a filter refuses is reported, with its place."""
        bad = PayloadLimitConfig(1, 10)
        router = config(host("a", per_filter_config={"fault": BAD, "payload_limit": bad}))
        where = "router 'r'.virtual_hosts[0].per_filter_config"
        self.assertEqual(problems(router), [f"{where}.fault", f"{where}.payload_limit"])

    def test_fine(self) -> None:
        """Good settings, unknown names and plain values pass."""
        filters = {"fault": FaultConfig(), "nobody": BAD, "payload_limit": {"max_entity_size": 1}}
        self.assertEqual(problems(config(host("a", per_filter_config=filters))), [])

    def test_start(self) -> None:
        """A file with such a route does not start."""
        route = {**toCluster(), "per_filter_config": {"mirror": {"amplification": 0}}}
        error = self.assertRaises(ConfigError, MemoryMesh, proxyConfig(route))
        self.assertIn("per_filter_config.mirror", str(error))
        self.assertIn("amplification is 0", str(error))
