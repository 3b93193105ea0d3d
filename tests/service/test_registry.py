"""Tests of `mosntx.service.registry`."""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from mosntx.admin.registry.view import Application, Publication, RegistryError
from mosntx.config.problems import ConfigError
from mosntx.config.schema import Cluster
from mosntx.service.registry import MAX_SERVICES, MAX_WAITING, LocalRegistry
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import ServiceCase, sidecar

NAME = "com.x.Svc:1.0"
DATA = "127.0.0.1:12220?p=1&v=4.0&app_name="

CONFIG = """
servers:
  - listeners:
      - name: egress
        address: 127.0.0.1:12220
        bind_port: true
        filter_chains:
          - filters:
              - {type: proxy, config: {downstream_protocol: bolt, router_config_name: egress}}
      - name: ingress
        address: 127.0.0.1:12201
        bind_port: true
        filter_chains:
          - filters:
              - {type: proxy, config: {downstream_protocol: bolt, router_config_name: ingress}}
    routers:
      - router_config_name: egress
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {headers: [{name: service, value: "com.x.Routed:1.0"}]}
                route: {cluster_name: far}
              - match:
                  headers:
                    - {name: service, value: "^com[.]y[.]", regex: true}
                    - {name: sofa_head_method_name, value: go}
                route: {cluster_name: far}
      - router_config_name: ingress
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {headers: [{name: service, value: "com.x.Svc:1.0"}]}
                route: {cluster_name: "com.x.Svc:1.0"}
              - match: {headers: [{name: service, value: ".*"}]}
                route: {cluster_name: far}
cluster_manager:
  clusters:
    - {name: far, hosts: [{address: "192.0.2.1:12201"}]}
    - {name: "com.x.Svc:1.0"}
    - {name: taken, hosts: [{address: "127.0.0.1:12200"}]}
registry: {}
"""


class Caller:
    """An application that talks to its sidecar's registry."""

    def __init__(self, mesh: MemoryMesh, port: int = 13330) -> None:
        self.site: Any
        (self.site,) = [each[1] for each in mesh.reactor.tcpServers if each[0] == port]

    def send(self, path: str, **found: Any) -> tuple[Any, StringTransport]:
        """Send a request; without fields a GET."""
        transport = StringTransport()
        client: Any = self.site.buildProtocol(None)
        client.makeConnection(transport)
        body = json.dumps(found).encode()
        method = "POST" if found else "GET"
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        client.dataReceived(head.encode() + body)
        return client, transport

    def ask(self, path: str, **found: Any) -> Any:
        """Send a request and return its answer."""
        client, transport = self.send(path, **found)
        answer = heard(transport)
        client.connectionLost(Failure(ConnectionDone()))
        return answer


def heard(transport: StringTransport) -> Any:
    """Return the JSON of an answer, ``None`` when there is none so far."""
    body = transport.value().partition(b"\r\n\r\n")[2]
    return json.loads(body) if body else None


class RegistryCase(ServiceCase):
    """A sidecar with a registry that has been started."""

    def setUp(self) -> None:
        super().setUp()
        self.start(CONFIG)

    def start(self, config: str) -> None:
        """Start a sidecar."""
        self.mesh = MemoryMesh(config)
        self.addCleanup(self.mesh.hangUp)
        self.caller = Caller(self.mesh)
        self.assertTrue(self.caller.ask("/configs/application", appName="app x")["success"])

    def post(self, path: str, service: str = NAME, **more: Any) -> str:
        """Send a request that must succeed, or return why it did not."""
        answer = self.caller.ask(f"/services/{path}", serviceName=service, **more)
        self.assertEqual(answer["success"], not answer["errorMessage"])
        return str(answer["errorMessage"])

    def hosts(self, name: str = NAME) -> list[str] | None:
        """Return the hosts of a cluster, ``None`` when there is none."""
        cluster = self.mesh.sidecar.clusters.get(name)
        return None if cluster is None else [host.address for host in cluster.hosts]


class PortTests(ServiceCase):
    """Where it listens."""

    def ports(self, block: str) -> list[tuple[int, str]]:
        mesh = MemoryMesh(CONFIG.replace("registry: {}\n", block))
        return [(each[0], each[3]) for each in mesh.reactor.tcpServers][2:]

    def test_absent(self) -> None:
        """Without the block there is no port."""
        self.assertEqual(self.ports(""), [])

    def test_defaults(self) -> None:
        """An empty block is where anthunder looks, on loopback."""
        self.assertEqual(self.ports("registry: {}\n"), [(13330, "127.0.0.1")])
        self.assertEqual(self.lines(LogLevel.warn), [])

    def test_elsewhere(self) -> None:
        """An address that others reach is warned of."""
        block = "registry: {address: 0.0.0.0, port_value: 1333}\n"
        self.assertEqual(self.ports(block), [(1333, "0.0.0.0")])
        (warned,) = self.lines(LogLevel.warn)
        self.assertIn("the registry API on 0.0.0.0:1333 has no passwords", warned)

    def test_egress(self) -> None:
        """An egress that nobody could connect to is a mistake of the file, with its line."""
        for wrong in ("''", "nowhere", "':12220'", "'127.0.0.1:0'", "'a:b'", "http://a:1"):
            text = CONFIG.replace("registry: {}", f"registry:\n  egress: {wrong}")
            error = self.assertRaises(ConfigError, sidecar, text)
            self.assertIn("registry.egress", str(error))
            self.assertEqual(error.problems[0].line, len(text.splitlines()))


class PublishTests(RegistryCase):
    """What the application offers."""

    def test_reached(self) -> None:
        """A call that comes in for a published service reaches the application's port."""
        self.assertEqual(self.post("publish", port="21101"), "")
        client = self.mesh.client("ingress")
        client.send(boltRequest(5, b"hello", [(b"service", NAME.encode())]))
        self.assertEqual(self.mesh.dialled, [("127.0.0.1", 21101)])
        application = self.mesh.upstream()
        number = int.from_bytes(application.take()[5:9], "big")
        application.send(boltResponse(number, b"answer"))
        self.assertEqual(client.take(), boltResponse(5, b"answer"))

    def test_made(self) -> None:
        """A service without a cluster gets one, with statistics, until it is taken back."""
        for _ in range(2):
            self.assertEqual(self.post("publish", "new", port="1"), "")
            self.assertEqual(self.hosts("new"), ["127.0.0.1:1"])
            found = [has for _, has, *_ in self.mesh.sidecar.stats.samples()]
            self.assertTrue(any(("cluster", "new") in has for has in found))
            self.assertEqual(self.post("publish", "new", port=2), "")
            self.assertEqual(self.hosts("new"), ["127.0.0.1:2"])
            self.assertEqual(self.post("unpublish", "new"), "")
            self.assertIsNone(self.hosts("new"))
            found = [has for _, has, *_ in self.mesh.sidecar.stats.samples()]
            self.assertFalse(any(("cluster", "new") in has for has in found))

    def test_filled(self) -> None:
        """A cluster of the file that has no hosts gets one, and stays when it is taken back."""
        self.post("publish", port="1")
        self.post("publish", port="2")
        self.assertEqual(self.hosts(), ["127.0.0.1:2"])
        self.post("unpublish")
        self.assertEqual(self.hosts(), [])

    def test_found(self) -> None:
        """A cluster of the file that leads there already is left alone."""
        self.assertEqual(self.post("publish", "taken", port="12200"), "")
        self.assertEqual(self.post("unpublish", "taken"), "")
        self.assertEqual(self.hosts("taken"), ["127.0.0.1:12200"])

    def test_taken(self) -> None:
        """A cluster of the file with other hosts is not taken over."""
        self.post("publish", "taken", port="12200")
        for service in ("far", "taken"):
            before = self.hosts(service)
            self.assertIn(f"Cluster {service} has hosts", self.post("publish", service, port="1"))
            self.assertEqual(self.hosts(service), before)

    def test_defaultPort(self) -> None:
        """Without a port it is `app_port`."""
        self.post("publish")
        self.assertEqual(self.hosts(), ["127.0.0.1:12200"])
        self.start(CONFIG.replace("registry: {}", "registry: {app_port: 12345}"))
        self.post("publish")
        self.assertEqual(self.hosts(), ["127.0.0.1:12345"])

    def test_removedMeanwhile(self) -> None:
        """A cluster that somebody else has removed can be published again, and taken back."""
        self.post("publish", "new", port="1")
        self.mesh.sidecar.clusters.remove("new")
        self.assertEqual(self.post("publish", "new", port="2"), "")
        self.assertEqual(self.hosts("new"), ["127.0.0.1:2"])
        self.mesh.sidecar.clusters.remove("new")
        self.assertEqual(self.post("unpublish", "new"), "")

    def test_unknown(self) -> None:
        """Taking back what is not there succeeds, and takes nothing."""
        for name in ("unpublish", "unsubscribe"):
            self.assertEqual(self.post(name, "taken"), "")
        self.assertEqual(self.hosts("taken"), ["127.0.0.1:12200"])

    def test_reset(self) -> None:
        """Another application forgets all (MOSN); the same, announced again, does not."""
        self.post("publish", port="1")
        self.caller.ask("/configs/application", appName="app x")
        self.assertEqual(self.hosts(), ["127.0.0.1:1"])
        self.post("publish", "new", port="1")
        self.post("subscribe", "new")
        self.caller.ask("/configs/application", appName="b")
        self.assertEqual((self.hosts(), self.hosts("new")), ([], None))
        self.assertEqual(self.caller.ask("/services"), {})


class SubscribeTests(RegistryCase):
    """What the application wants to call."""

    def subscribe(self, service: str) -> Any:
        """Subscribe to a service that is known: the answer comes at once."""
        answer = self.caller.ask("/services/subscribe", serviceName=service)
        self.assertEqual((answer["success"], answer["serviceName"]), (True, service))
        return answer["datas"]

    def test_known(self) -> None:
        """Clusters and routes of the egress are known; the answer is our own egress."""
        for service in ("far", NAME, "com.x.Routed:1.0", "com.y.Any:1.0"):
            self.assertEqual(self.subscribe(service), [DATA + "app%20x"])

    def test_published(self) -> None:
        """A service published here is known, with what its application says of itself."""
        meta = {"protocol": "2", "version": "5", "serializeType": "hessian2", "appName": "b&?c"}
        self.post("publish", "new", port="1", providerMetaInfo=meta)
        (data,) = self.subscribe("new")
        self.assertEqual(data, "127.0.0.1:12220?p=2&v=5&app_name=b%26%3Fc")

    def test_readable(self) -> None:
        """Clients take an address apart at its one question mark, and trip over _SERIALIZETYPE."""
        (data,) = self.subscribe(NAME)
        address, question, query = data.partition("?")
        self.assertEqual((address, question, "?" in query), ("127.0.0.1:12220", "?", False))
        self.assertNotIn("_SERIALIZETYPE", query)

    def test_egress(self) -> None:
        """The address is the configured one; a port where nobody of us listens asks all routers."""
        self.start(CONFIG.replace("registry: {}", "registry: {egress: 127.0.0.2:9}"))
        (data,) = self.subscribe("whatever")
        self.assertTrue(data.startswith("127.0.0.2:9?"))

    def test_anyService(self) -> None:
        """A route for any service knows each."""
        self.start(CONFIG.replace("com.x.Routed:1.0", ".*"))
        self.subscribe("whatever")

    def test_routerChanges(self) -> None:
        """Routes that came at run time count; those that have gone do not."""
        routers = self.mesh.sidecar.routers
        config = routers.get("ingress").config
        assert config is not None
        routers.update(evolve(config, router_config_name="egress"))
        self.subscribe("whatever")
        routers.remove("egress")
        self.assertIsNone(heard(self.caller.send("/services/subscribe", serviceName="new")[1]))

    def test_timeout(self) -> None:
        """An unknown service is answered after three seconds, in MOSN's words."""
        _client, transport = self.caller.send("/services/subscribe", serviceName="new")
        self.mesh.advance(2.9)
        self.assertIsNone(heard(transport))
        self.mesh.advance(0.2)
        text = "Wait confreg server push data timeout. data id = new, timeout = 3s"
        self.assertEqual(heard(transport), {"errorMessage": text, "success": False})
        self.assertEqual(self.caller.ask("/services"), {})

    def test_publishedMeanwhile(self) -> None:
        """Publishing answers those who wait, at once; others go on waiting."""
        _, transport = self.caller.send("/services/subscribe", serviceName="new")
        _, other = self.caller.send("/services/subscribe", serviceName="other")
        self.post("publish", "new", port="1")
        self.assertTrue(heard(transport)["success"])
        self.assertIsNone(heard(other))

    def test_knownMeanwhile(self) -> None:
        """A cluster that comes at run time answers those who wait, soon."""
        _, transport = self.caller.send("/services/subscribe", serviceName="new")
        self.mesh.advance(1.0)
        self.mesh.sidecar.clusters.update(Cluster(name="new"))
        self.mesh.advance(0.3)
        self.assertTrue(heard(transport)["success"])

    def test_clientLeaves(self) -> None:
        """Who leaves does not wait any more."""
        before = self.mesh.timers
        client, transport = self.caller.send("/services/subscribe", serviceName="new")
        client.connectionLost(Failure(ConnectionDone()))
        self.mesh.advance(0)
        self.assertEqual((transport.value(), self.mesh.timers), (b"", before))

    def test_stop(self) -> None:
        """The end of the sidecar is the end of waiting."""
        client, transport = self.caller.send("/services/subscribe", serviceName="new")
        self.mesh.sidecar.stopService()
        self.mesh.advance(1.5)
        self.assertEqual(heard(transport)["errorMessage"], "The sidecar is shutting down.")
        client.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.mesh.timers, 0)

    def test_services(self) -> None:
        """All are shown: our egress for what is subscribed, the port for what is published."""
        self.caller.ask("/configs/application", appName="a", zone="z")
        self.post("subscribe", "far")
        self.post("publish", port="7", providerMetaInfo={"appName": "b"})
        self.assertEqual(
            self.caller.ask("/services"),
            {
                NAME: {"z": ["127.0.0.1:7?p=1&v=4.0&app_name=b"]},
                "far": {"z": [DATA + "a"]},
            },
        )
        self.post("unsubscribe", "far")
        self.post("unpublish")
        self.assertEqual(self.caller.ask("/services"), {})


class BoundTests(RegistryCase):
    """No client can fill the memory."""

    def setUp(self) -> None:
        super().setUp()
        parts = self.mesh.sidecar
        assert parts.loaded.config.registry is not None
        self.registry = LocalRegistry(
            parts.loaded.config.registry,
            parts.loaded.config.server.listeners,
            clusters=parts.clusters,
            routers=parts.routers,
            store=parts.stats,
            clock=self.mesh.reactor,
        )
        self.registry.start(Application(appName="a"))

    def test_published(self) -> None:
        """So many services and no more, but those that are known may change."""
        for number in range(MAX_SERVICES):
            self.registry.publish(Publication(service=f"s{number}"))
        more = Publication(service="more")
        self.assertRaises(RegistryError, self.registry.publish, more)
        self.assertIsNone(self.hosts("more"))
        self.registry.publish(Publication(service="s0", port=9))
        self.assertEqual(self.hosts("s0"), ["127.0.0.1:9"])
        self.registry.unpublish("s1")
        self.registry.publish(more)

    def test_subscribed(self) -> None:
        """The same for subscriptions."""
        for number in range(MAX_SERVICES):
            self.successResultOf(self.registry.subscribe(f"com.y.{number}"))
        self.failureResultOf(self.registry.subscribe("com.y.more"), RegistryError)
        self.successResultOf(self.registry.subscribe("com.y.0"))

    def test_waiting(self) -> None:
        """The same for questions that wait, each on a connection."""
        waiting = [self.registry.subscribe(f"w{number}") for number in range(MAX_WAITING)]
        self.failureResultOf(self.registry.subscribe("more"), RegistryError)
        self.registry.stop()
        for each in waiting:
            self.failureResultOf(each, RegistryError)
        again = self.registry.subscribe("again")
        self.assertNoResult(again)
        self.registry.stop()
        self.failureResultOf(again, RegistryError)
