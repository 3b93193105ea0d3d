"""Routers by name, replaceable while connections use them (spec/router.md 15)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from zope.interface import implementer

from mosntx.config.schema import Route as RouteConfig
from mosntx.config.schema import RouterConfig
from mosntx.contracts.message import IRequestHead
from mosntx.contracts.route import IRoute, IRouter
from mosntx.router.virtualhosts import Router


class UnknownRouterError(LookupError):
    """There is no router of this name, or no virtual host for this domain."""


def _noRoute(head: IRequestHead, source: str = "") -> None:
    """Stand where the router's is."""


@implementer(IRouter)
class RouterSlot:
    """See `IRouter`: what listeners hold for a name. Without a router nothing matches.

    :ivar route: see `IRouter.route`; the router's own, for each request calls it.
    :ivar config: what it was made from; the last one that was given, when none could be made.
    """

    __slots__ = ("_router", "config", "name", "route")

    def __init__(self, name: str) -> None:
        self.name = name
        self.config: RouterConfig | None = None
        self.router = None

    @property
    def router(self) -> Router | None:
        """The one that counts now. Assignable."""
        return self._router

    @router.setter
    def router(self, router: Router | None) -> None:
        self._router = router
        self.route: Callable[..., IRoute | None] = _noRoute if router is None else router.route


class Routers:
    """All routers of one Sidecar."""

    def __init__(self, compile: Callable[[RouterConfig], Router]) -> None:
        """:param compile: `mosntx.router.compiler.compileRouter` with its other arguments given."""
        self._compile = compile
        self._slots: dict[str, RouterSlot] = {}

    def get(self, name: str) -> RouterSlot:
        """Return what stands for a name, also of a router that may come later."""
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = RouterSlot(name)
        return slot

    def names(self) -> Sequence[str]:
        """Return the names of the routers that were given, sorted; unusable ones too."""
        return sorted(name for name, slot in self._slots.items() if slot.config is not None)

    def update(self, config: RouterConfig) -> None:
        """Add a router, or replace the one of its name for all who use it.

        :raises mosntx.router.errors.RouterConfigError: when it has mistakes. Then a known router
            stays as it was, and a new one is there without routes.
        """
        slot = self.get(config.router_config_name)
        if slot.config is None:
            slot.config = config
        slot.router = self._compile(config)
        slot.config = config

    def remove(self, name: str) -> None:
        """Take a router away. Who uses it finds no routes any more.

        :raises UnknownRouterError: when there is none.
        """
        slot = self._slots.get(name)
        if slot is None or slot.config is None:
            raise UnknownRouterError(f"there is no router {name!r}")
        slot.router = slot.config = None

    def addRoute(self, name: str, domain: str, route: RouteConfig) -> None:
        """Add a route behind the others of a virtual host.

        :param domain: a host as a request would name it; empty = the default virtual host.
        :raises UnknownRouterError: when there is no such router or virtual host.
        :raises mosntx.router.errors.RouterConfigError: when it has mistakes; nothing changes.
        """
        self._change(name, domain, lambda routes: (*routes, route))

    def removeAllRoutes(self, name: str, domain: str) -> None:
        """Remove the routes of one virtual host.

        :param domain: as in `addRoute`.
        :raises UnknownRouterError: when there is no such router or virtual host.
        """
        self._change(name, domain, lambda routes: ())

    def _change(
        self,
        name: str,
        domain: str,
        change: Callable[[tuple[RouteConfig, ...]], tuple[RouteConfig, ...]],
    ) -> None:
        slot = self._slots.get(name)
        if slot is None or slot.router is None or slot.config is None:
            raise UnknownRouterError(f"there is no router {name!r} to change")
        router = slot.router
        authority = domain.lower().encode("utf-8")
        found = router.virtualHost(authority) if authority else router.default
        if found is None:
            raise UnknownRouterError(f"router {name!r} has no virtual host for {domain or '*'!r}")
        hosts = list(slot.config.virtual_hosts)
        host = hosts[found.number]
        hosts[found.number] = attrs.evolve(host, routers=change(host.routers))
        self.update(attrs.evolve(slot.config, virtual_hosts=tuple(hosts)))
