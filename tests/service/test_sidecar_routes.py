"""Tests of `mosntx.service.sidecar`: routes that change at run time."""

from __future__ import annotations

from typing import Any

from mosntx.config.schema import Match, Route, RouteAction, RouterConfig, VirtualHost
from mosntx.router.errors import RouterConfigError
from tests.proxy.build import GET, OK, MeshTestCase, proxyConfig, toCluster


def written(*routes: Route) -> RouterConfig:
    """A router configuration with the name that the listener uses."""
    host = VirtualHost(domains=("*",), routers=routes)
    return RouterConfig(router_config_name="r", virtual_hosts=(host,))


class RoutersTests(MeshTestCase):
    """Changes through `Sidecar.routers` act on connections that are open."""

    def setUp(self) -> None:
        config: dict[str, Any] = proxyConfig(toCluster())
        other = {"name": "other", "hosts": [{"address": "127.0.0.1:9201"}]}
        config["cluster_manager"]["clusters"].append(other)
        self.routers = self.beginWith(config).sidecar.routers
        self.toOther = Route(match=Match(prefix="/"), route=RouteAction(cluster_name="other"))

    def dialled(self) -> list[int]:
        return [port for _, port in self.running.dialled]

    def test_replaced(self) -> None:
        """The next request of an open connection takes the new route; one under way its own."""
        client, upstream = self.get()
        self.routers.update(written(self.toOther))
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        client.send(GET)
        self.assertEqual(self.dialled(), [9201])

    def test_invalid(self) -> None:
        """A configuration with mistakes is refused and changes nothing."""
        bad = Route(match=Match(regex="("), route=RouteAction(cluster_name="other"))
        self.assertRaises(RouterConfigError, self.routers.update, written(bad, self.toOther))
        self.assertRaises(RouterConfigError, self.routers.addRoute, "r", "", bad)
        self.running.client("front").send(GET)
        self.assertEqual(self.dialled(), [9001])

    def test_added(self) -> None:
        """A route that is added comes last; when the others are gone, the next added is first."""
        client = self.running.client("front")
        self.routers.addRoute("r", "", self.toOther)
        client.send(GET)
        self.assertEqual(self.dialled(), [9001])
        self.running.upstream().send(OK)
        self.routers.removeAllRoutes("r", "")
        client.send(GET)
        self.assertIn(b"404", client.take()[len(OK) :])
        self.routers.addRoute("r", "", self.toOther)
        client.send(GET)
        self.assertEqual(self.dialled(), [9201])
