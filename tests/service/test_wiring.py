"""Tests of `mosntx.service.wiring`."""

from __future__ import annotations

from attrs import frozen
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from mosntx.config.problems import ConfigError
from mosntx.config.schema import option
from mosntx.contracts.filters import (
    CONTINUE,
    REPLIED,
    IFilterContext,
    IStreamFilter,
    IStreamFilterFactory,
)
from mosntx.contracts.net import (
    STOP,
    IListenerFilter,
    IListenerFilterType,
    INetworkFilterFactory,
    INetworkFilterType,
)
from mosntx.filters.base import StreamFilter
from mosntx.net.filters import NetworkFilter
from mosntx.service import Sidecar
from mosntx.service.catalog import standardCatalog
from mosntx.service.wiring import expect
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import (
    ANSWER,
    BAD_FILTERS,
    ELSEWHERE,
    REQUEST,
    TEXT,
    ServiceCase,
    config,
    inFlight,
)


@frozen(kw_only=True)
class Mood:
    """Configuration of the filters here."""

    mood: str = option("`good`, `bad` or `alien`.", default="good")


@implementer(IListenerFilterType, INetworkFilterType, IStreamFilterFactory)
class MoodType:
    """A row of the catalog whose `build` is good, raises, or makes something else.

    :ivar contexts: what it was built with.
    """

    name = "mood"
    configClass = Mood

    def __init__(self, good):
        self._good = good
        self.contexts = []

    def build(self, config, context):
        """See `IStreamFilterFactory.build`."""
        self.contexts.append(context)
        if config.mood == "bad":
            raise ValueError("mood is bad")
        return object() if config.mood == "alien" else self._good


class Teapot(StreamFilter):
    """Answers every request here."""

    def requestHead(self, exchange, head, end):
        """See `IStreamFilter.requestHead`."""
        exchange.reply(418, b"short and stout")
        return REPLIED


@implementer(IListenerFilter)
class Gate:
    """Lets one connection in; the others it closes."""

    name = "mood"

    def __init__(self):
        self.seen = []

    def accepted(self, connection):
        """See `IListenerFilter.accepted`."""
        self.seen.append(connection)
        if len(self.seen) == 1:
            return CONTINUE
        connection.abort()
        return STOP


@implementer(INetworkFilterFactory)
class Upper:
    """Makes a network filter that changes octets."""

    name = "mood"

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        return UpperFilter()


class UpperFilter(NetworkFilter):
    """Changes octets."""

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        buffer[:] = buffer.replace(b"get ", b"GET ")
        return CONTINUE


def networkFilter(*moods):
    """Return `TEXT` with network filters in front of the proxy, from line 9."""
    lines = "".join(f"              - {{type: mood, config: {{mood: {mood}}}}}\n" for mood in moods)
    return TEXT.replace("              - type: proxy", f"{lines}              - type: proxy")


def streamFilter(*moods, key="stream_filters"):
    """Return `TEXT` with stream filters, or what `key` says, from line 12."""
    lines = "".join(f"          - {{type: mood, config: {{mood: {mood}}}}}\n" for mood in moods)
    return TEXT.replace(
        "    routers:\n      - r", f"        {key}:\n{lines}    routers:\n      - r"
    )


def listenerFilter(*moods):
    """Return `TEXT` with listener filters from line 12."""
    return streamFilter(*moods, key="listener_filters")


class ErrorTests(ServiceCase):
    """What cannot be made is said with its place, all at once."""

    def problems(self, text, **rows):
        catalog = standardCatalog().extended(**rows)
        error = self.assertRaises(
            ConfigError, Sidecar.fromConfig, text, reactor=MemoryReactorClock(), catalog=catalog
        )
        return [(p.line, p.column, p.path, p.message) for p in error.problems]

    def test_streamFilters(self):
        """Values of filters that only `build` knows to be wrong: file, line, column, path."""
        error = self.assertRaises(ConfigError, MemoryMesh, BAD_FILTERS)
        self.assertEqual(
            [str(problem) for problem in error.problems],
            [
                "<text>:12:13: error: servers[0].listeners[0].stream_filters[0]: "
                "abort.percentage is 101; it must be from 0 to 100",
                "<text>:14:13: error: servers[0].listeners[0].stream_filters[1]: "
                "delay.percentage is -1; it must be from 0 to 100",
            ],
        )

    def test_networkFilters(self):
        """A network filter's wrong value is said at the filter, not at the listener."""
        found = self.problems(
            networkFilter("good", "bad", "bad"), networkFilters=[MoodType(Upper())]
        )
        path = "servers[0].listeners[0].filter_chains[0].filters[{}]"
        self.assertEqual(
            [(line, where) for line, _, where, _ in found],
            [(10, path.format(1)), (11, path.format(2))],
        )
        self.assertEqual(found[0][3], "mood is bad")

    def test_listenerFilters(self):
        """A listener filter's wrong value is said at its place, and so is a broken contract."""
        found = self.problems(
            listenerFilter("good", "bad", "alien"), listenerFilters=[MoodType(Gate())]
        )
        path = "servers[0].listeners[0].listener_filters[{}]"
        self.assertEqual(
            [(line, where) for line, _, where, _ in found],
            [(13, path.format(1)), (14, path.format(2))],
        )
        self.assertEqual(found[0][3], "mood is bad")
        self.assertIn("IListenerFilter", found[1][3])

    def test_brokenContracts(self):
        """What a factory makes is verified; the error names the place and the contract."""
        (network,) = self.problems(networkFilter("alien"), networkFilters=[MoodType(Upper())])
        (stream,) = self.problems(streamFilter("alien"), streamFilters=[MoodType(Teapot())])
        self.assertEqual((network[0], stream[0]), (9, 12))
        self.assertIn("object breaks its contract: ", network[3])
        self.assertIn("IStreamFilter", stream[3])

    def test_routers(self):
        """What only the compiler of routes finds is said together with the rest."""
        text = BAD_FILTERS.replace("cluster_name: c}", 'cluster_name: c, host_rewrite: "a b"}')
        error = self.assertRaises(ConfigError, MemoryMesh, text)
        self.assertEqual([problem.line for problem in error.problems], [12, 14, 23])
        self.assertIn("servers[0].routers[0]", error.problems[2].path)
        self.assertIn("host_rewrite 'a b' is no host", error.problems[2].message)

    def test_mapping(self):
        """Without text there are no lines, but paths."""
        filters = [{"type": "fault", "config": {"abort": {"status": 700}}}]
        error = self.assertRaises(ConfigError, MemoryMesh, config({"stream_filters": filters}))
        (problem,) = error.problems
        self.assertEqual(
            (problem.line, problem.path), (0, "servers[0].listeners[0].stream_filters[0]")
        )
        self.assertTrue(str(problem).startswith("<mapping>: error: "), str(problem))

    def test_expect(self):
        """`expect` gives back what keeps the contract."""
        keeps = Teapot()
        self.assertIs(expect(IStreamFilter, keeps, "x"), keeps)
        error = self.assertRaises(ConfigError, expect, IStreamFilter, 1, "x.y")
        self.assertEqual(error.problems[0].path, "x.y")
        self.assertIn("int breaks its contract", str(error))


class ObjectTests(ServiceCase):
    """What is made does what the configuration says."""

    def test_streamFilter(self):
        """A user's stream filter answers; it was built with the context of this Sidecar."""
        row = MoodType(Teapot())
        mesh = MemoryMesh(
            streamFilter("good"), catalog=standardCatalog().extended(streamFilters=[row])
        )
        client = mesh.client("in")
        client.send(REQUEST)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 418 "))
        (context,) = row.contexts
        self.assertTrue(IFilterContext.providedBy(context))
        self.assertIs(context.clusters, mesh.sidecar.clusters)
        self.assertEqual(context.wallSeconds(), context.seconds())
        mesh.hangUp()

    def test_networkFilter(self):
        """A user's network filter sees the octets before the proxy."""
        catalog = standardCatalog().extended(networkFilters=[MoodType(Upper())])
        mesh = MemoryMesh(networkFilter("good"), catalog=catalog)
        client = mesh.client("in")
        client.send(REQUEST.replace(b"GET", b"get"))
        self.assertTrue(mesh.upstream().take().startswith(b"GET / "))
        mesh.hangUp()

    def test_listenerFilter(self):
        """A user's listener filter sees each connection first; one it closes gets no answer."""
        gate = Gate()
        catalog = standardCatalog().extended(listenerFilters=[MoodType(gate)])
        mesh = MemoryMesh(listenerFilter("good"), catalog=catalog)
        client, upstream = inFlight(mesh)
        refused = mesh.client("in")
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertEqual((len(gate.seen), refused.closed), (2, True))
        mesh.hangUp()

    def test_auto(self):
        """`Auto` looks at the octets first; all protocols of the catalog are spoken."""
        mesh = MemoryMesh(TEXT.replace("downstream_protocol: Http1", "downstream_protocol: Auto"))
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        mesh.hangUp()

    def test_tcpProxy(self):
        """`tcp_proxy` relays octets."""
        text = TEXT.replace("type: proxy", "type: tcp_proxy").replace(
            "{downstream_protocol: Http1, router_config_name: r}", "{cluster: c, idle_timeout: 5s}"
        )
        mesh = MemoryMesh(text)
        client = mesh.client("in")
        client.send(b"anything")
        self.assertEqual(mesh.upstream().take(), b"anything")
        self.assertEqual(mesh.value("request_total", proxy="global"), 0)
        mesh.hangUp()

    def test_noName(self):
        """A listener without a name goes by its address."""
        mesh = MemoryMesh(TEXT.replace("- name: in\n        address", "- address"))
        self.assertEqual(list(mesh.sidecar.listeners), ["127.0.0.1:2045"])
        self.assertEqual(mesh.value("connection_total", listener="127.0.0.1:2045"), 0)
        client = mesh.client("127.0.0.1:2045")
        self.assertEqual(mesh.value("connection_total", listener="127.0.0.1:2045"), 1)
        client.reset()

    def test_notBound(self):
        """A listener with `bind_port: false` opens nothing."""
        mesh = MemoryMesh(TEXT.replace("bind_port: true", "bind_port: false"))
        self.assertEqual(mesh.reactor.tcpServers, [])

    def test_requestId(self):
        """Ids of requests come from the Sidecar's own random numbers: equal seeds, equal ids."""
        ids = []
        for _ in range(2):
            mesh = MemoryMesh(
                TEXT.replace(
                    "router_config_name: r}", "router_config_name: r, generate_request_id: true}"
                )
            )
            client = mesh.client("in")
            client.send(REQUEST)
            ids.append(mesh.upstream().take())
            mesh.hangUp()
        self.assertEqual(ids[0], ids[1])
        self.assertIn(b"x-request-id: ", ids[0].lower())
        self.assertRegex(ids[0].lower(), rb"-4[0-9a-f]{3}-[89ab]")

    def test_octets(self):
        """Octets and refused connections are counted per listener."""
        mesh = MemoryMesh(config({"max_connections": 1}))
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        mesh.reactor.tcpServers[0][1].buildProtocol(ELSEWHERE)
        self.assertEqual(mesh.value("bytes_read_total", listener="in"), len(REQUEST))
        self.assertEqual(mesh.value("bytes_write_total", listener="in"), len(client.take()))
        self.assertEqual(mesh.value("connection_refused", listener="in"), 1)
        mesh.hangUp()
