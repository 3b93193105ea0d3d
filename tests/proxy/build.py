"""A proxy in a `MemoryMesh`, what happens in it, and the check that nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.filters import IExchange, IFilterContext, IStreamFilter, IStreamFilterFactory
from mosntx.contracts.stream import IStreamEventHandler
from mosntx.filters.base import StreamFilter
from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh, Peer

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def post(body: bytes = b"", *, length: int | None = None, path: bytes = b"/") -> bytes:
    """Return a POST whose body has ``length`` octets, of which ``body`` are the first."""
    size = len(body) if length is None else length
    return b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (path, size, body)


def response(body: bytes = b"", status: bytes = b"200 OK", *fields: bytes) -> bytes:
    """Return a response with a length."""
    lines = b"".join(field + b"\r\n" for field in fields)
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, lines, len(body), body)


def toCluster(name: str = "app", prefix: str = "/", **action: Any) -> dict[str, Any]:
    """Return a route to a cluster."""
    return {"match": {"prefix": prefix}, "route": {"cluster_name": name, **action}}


def proxyConfig(
    *routes: Mapping[str, Any],
    hosts: int = 1,
    proxy: Mapping[str, Any] | None = None,
    cluster: Mapping[str, Any] | None = None,
    listener: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a configuration: the listener ``front``, its routes, the cluster ``app``.

    :param routes: one to the cluster when none are given.
    :param hosts: of the cluster, at 127.0.0.1:9001 and so on.
    :param proxy: further settings of the network filter; likewise the others.
    """
    settings = {"downstream_protocol": "Http1", "router_config_name": "r", **(proxy or {})}
    front = {
        "name": "front",
        "address": "127.0.0.1:2045",
        "bind_port": True,
        "filter_chains": [{"filters": [{"type": "proxy", "config": settings}]}],
        **(listener or {}),
    }
    router = {
        "router_config_name": "r",
        "virtual_hosts": [
            {"name": "all", "domains": ["*"], "routers": list(routes) or [toCluster()]}
        ],
    }
    app = {
        "name": "app",
        "type": "SIMPLE",
        "lb_type": "LB_ROUNDROBIN",
        "hosts": [{"address": f"127.0.0.1:{9001 + number}"} for number in range(hosts)],
        **(cluster or {}),
    }
    return {
        "servers": [{"listeners": [front], "routers": [router], **(server or {})}],
        "cluster_manager": {"clusters": [app]},
    }


@implementer(IStreamEventHandler)
class Witness:
    """Remembers exchanges.

    :ivar exchanges: all that began.
    :ivar ended: those that are over, in that order.
    :ivar resets: the reasons of those that were broken off.
    :ivar log: everything in order: ``("created", number of the exchange)`` and so on.
    """

    def __init__(self) -> None:
        self.exchanges: list[Any] = []
        self.ended: list[Any] = []
        self.resets: list[int] = []
        self.log: list[tuple[str, int]] = []

    def _note(self, event: str, exchange: IExchange) -> None:
        self.log.append((event, self.exchanges.index(exchange)))

    def streamCreated(self, exchange: IExchange) -> None:
        """See `IStreamEventHandler`."""
        self.exchanges.append(exchange)
        self._note("created", exchange)

    def streamHeadSent(self, exchange: IExchange) -> None:
        """See `IStreamEventHandler`."""
        self._note("headSent", exchange)

    def streamReset(self, exchange: IExchange, reason: int) -> None:
        """See `IStreamEventHandler`."""
        self.resets.append(reason)
        self._note("reset", exchange)

    def streamComplete(self, exchange: IExchange) -> None:
        """See `IStreamEventHandler`."""
        self.ended.append(exchange)
        self._note("complete", exchange)


@implementer(IStreamFilterFactory)
class GivenFilter:
    """A row of the catalog that gives what a test has made."""

    configClass = None

    def __init__(self, name: str, make: Callable[[IFilterContext], IStreamFilter]) -> None:
        self.name = name
        self._make = make

    def build(self, config: Any, context: IFilterContext) -> IStreamFilter:
        """See `IStreamFilterFactory.build`."""
        return self._make(context)


class EndCounter(StreamFilter):
    """Counts the ends of each exchange."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}

    def complete(self, exchange: IExchange) -> None:
        """See `IStreamFilter.complete`."""
        self.ends[id(exchange)] = self.ends.get(id(exchange), 0) + 1


class MeshTestCase(SynchronousTestCase):
    """A test with a Sidecar around it, of which nothing may be left afterwards."""

    mesh: MemoryMesh | None = None

    def begin(
        self,
        *routes: Mapping[str, Any],
        filters: Sequence[StreamFilter | Mapping[str, Any]] = (),
        **settings: Any,
    ) -> MemoryMesh:
        """Start a Sidecar.

        :param filters: stream filters of the listener: objects, or their configuration.
        :param settings: see `proxyConfig`.
        """
        rows = [
            GivenFilter(f"given{place}", lambda _, each=each: each)  # type: ignore[misc]
            for place, each in enumerate(filters)
            if isinstance(each, StreamFilter)
        ]
        specs = [
            {"type": f"given{place}"} if isinstance(each, StreamFilter) else each
            for place, each in enumerate(filters)
        ]
        if specs:
            settings["listener"] = {"stream_filters": specs, **settings.get("listener", {})}
        return self.beginWith(proxyConfig(*routes, **settings), rows)

    def beginWith(
        self, config: Mapping[str, Any], rows: Sequence[IStreamFilterFactory] = ()
    ) -> MemoryMesh:
        """Start a Sidecar with a whole configuration.

        :param rows: further stream filters of the catalog.
        """
        self.witness = Witness()
        self.mesh = MemoryMesh(
            config,
            catalog=standardCatalog().extended(streamFilters=rows),
            streamEventHandlers=[self.witness],
        )
        return self.mesh

    @property
    def running(self) -> MemoryMesh:
        """The mesh that `begin` has made."""
        assert self.mesh is not None
        return self.mesh

    @property
    def last(self) -> Any:
        """The exchange that ended last."""
        return self.witness.ended[-1]

    def get(self, octets: bytes = GET) -> tuple[Peer, Peer]:
        """Send a request on a new connection; return client and upstream, connected anew."""
        client = self.running.client("front")
        client.send(octets)
        return client, self.running.upstream()

    def assertStatus(self, octets: bytes, status: int) -> None:
        """Check that octets are one response with a status."""
        self.assertEqual(octets.count(b"HTTP/1.1 "), 1, octets)
        self.assertTrue(octets.startswith(b"HTTP/1.1 %d " % status), octets)

    def assertEnded(self, *outcomes: tuple[int, int]) -> None:
        """Check ``(status, flags)`` of all exchanges that are over."""
        self.assertEqual([(one.status, one.flags) for one in self.witness.ended], list(outcomes))

    def assertNothingActive(self) -> None:
        """Check that all counts of what is under way are zero, and each exchange ended once."""
        mesh = self.running
        for key in ("request_active", "connection_active"):
            self.assertEqual(mesh.value(key), 0, key)
        for name in mesh.sidecar.clusters.names():
            cluster = mesh.sidecar.clusters.get(name)
            assert cluster is not None
            limits = cluster.limits
            counts = (limits.requests, limits.retries, limits.pending, limits.connections)
            self.assertEqual(counts, (0, 0, 0, 0))
            for host in cluster.hosts:
                for pool in host.pools().values():
                    self.assertEqual((pool.active, pool.idle, pool.waiting), (0, 0, 0))
        ended = [id(exchange) for exchange in self.witness.ended]
        self.assertEqual(sorted(ended), sorted(map(id, self.witness.exchanges)))

    def tearDown(self) -> None:
        """Hang up and stop; nothing may be left."""
        mesh = self.mesh
        if mesh is None:
            return
        mesh.hangUp()
        while mesh.dialled:
            mesh.refuse()
        mesh.advance(1.0)
        self.assertNothingActive()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual(mesh.timers, 0)
