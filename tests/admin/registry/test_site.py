"""Tests of `mosntx.admin.registry.site`."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mosntx.admin.registry.site import NO_SERVICES, NOT_STARTED, registrySite
from mosntx.admin.registry.view import Application, Publication, RegistryError, RegistryView
from tests.admin.requests import LOCAL, Reply, ask

CHANGES = ("publish", "subscribe", "unpublish", "unsubscribe")
SERVICE = b'{"serviceName": "com.x.Svc:1.0"}'
#: What anthunder 0.8.1 sends.
PUBLISH = {
    "serviceName": "com.x.Svc:1.0",
    "providerMetaInfo": {
        "protocol": "1",
        "version": "4.0",
        "serializeType": "protobuf",
        "appName": "lab_app",
    },
    "port": "21101",
    "protocolType": "DEFAULT",
    "onlyPublishInCloud": False,
}
OK = {"errorMessage": "", "success": True}


class Known:
    """A registry that notes what it is told, and answers what the test says."""

    def __init__(self) -> None:
        self.application: Application | None = None
        self.calls: list[tuple[str, object]] = []
        self.asked: list[Deferred[Any]] = []
        self.cancelled = 0

    def start(self, application: Application) -> None:
        """Know who it is."""
        self.application = application

    def publish(self, wanted: Publication) -> None:
        """Refuse one service."""
        if wanted.service == "refused":
            raise RegistryError("no")
        self.calls.append(("publish", wanted))

    def subscribe(self, service: str) -> Deferred[Any]:
        """Wait for the test to answer."""
        self.calls.append(("subscribe", service))
        self.asked.append(Deferred(self.cancel))
        return self.asked[-1]

    def cancel(self, asked: Deferred[Any]) -> None:
        """Count who does not want to know any more."""
        self.cancelled += 1

    def view(self) -> RegistryView:
        """Return the view of this registry."""
        return RegistryView(
            application=lambda: self.application,
            start=self.start,
            publish=self.publish,
            unpublish=lambda service: self.calls.append(("unpublish", service)),
            subscribe=self.subscribe,
            unsubscribe=lambda service: self.calls.append(("unsubscribe", service)),
            services=lambda: {"com.x.Svc:1.0": {"zone": ["127.0.0.1:1?p=1"]}},
        )


class SiteCase(SynchronousTestCase):
    """A site over a registry that notes what it is told."""

    def setUp(self) -> None:
        self.known = Known()
        self.site = registrySite(self.known.view(), MemoryReactorClock(), loopback=True)

    def post(self, path: str, body: bytes) -> Reply:
        """Send a POST, and return the answer: always status 200."""
        reply = ask(self.site, "POST", path, body, LOCAL)
        self.assertEqual(reply.status, 200)
        return reply

    def get(self, path: str) -> Reply:
        """Send a GET."""
        return ask(self.site, "GET", path, b"", LOCAL)

    def started(self) -> None:
        """Announce the application."""
        self.assertEqual(self.post("/configs/application", b'{"appName": "a"}').json, OK)

    def failure(self, reply: Reply) -> str:
        """Return the text of a failure."""
        self.assertIs(reply.json["success"], False)
        return str(reply.json["errorMessage"])


class ConfigsTests(SiteCase):
    """`/configs`."""

    def test_start(self) -> None:
        """The application is announced with all that it says of itself."""
        body = json.dumps(
            {"appName": "a", "dataCenter": "d", "zone": "z", "registryEndPoint": "e"}
            | {"accessKey": "k", "secretKey": "s", "antShareCloud": True, "more": 1}
        ).encode()
        self.assertEqual(self.post("/configs/application", body).json, OK)
        self.assertEqual(
            self.known.application,
            Application(
                appName="a",
                dataCenter="d",
                zone="z",
                registryEndpoint="e",
                antShareCloud=True,
                accessKey="k",
                secretKey="s",
            ),
        )

    def test_malformed(self) -> None:
        """What is no object of the right kind is told so, and announces nobody."""
        for body in (b"", b"{", b"[]", b'{"appName": 1}', b"[" * 60000, b" " * 70000 + b"{}"):
            text = self.failure(self.post("/configs/application", body))
            self.assertTrue(text.startswith("Unmarshal body stream to application info request"))
        self.assertIsNone(self.known.application)

    def test_show(self) -> None:
        """Who has been announced is shown under Go's names, without secrets."""
        empty = self.get("/configs/application").json
        self.assertEqual((empty["AppName"], empty["SecretKey"]), ("", ""))
        self.post("/configs/application", b'{"appName": "a", "secretKey": "s", "zone": "z"}')
        reply = self.get("/configs/application")
        self.assertEqual((reply.json["AppName"], reply.json["Zone"]), ("a", "z"))
        self.assertEqual(reply.json["SecretKey"], "***REDACTED***")
        self.assertEqual(reply.json["AccessKey"], "")

    def test_registry(self) -> None:
        """The settings are MOSN's, durations in nanoseconds."""
        found = self.get("/configs/registry").json
        self.assertEqual(found["RPCServerPort"], 12201)
        self.assertEqual(found["WaitReceivedDataTimeout"], 3 * 10**9)


class ServicesTests(SiteCase):
    """`/services`."""

    def test_notStarted(self) -> None:
        """Before the application is announced, every call says so, whatever its body."""
        for name in CHANGES:
            self.assertEqual(self.failure(self.post(f"/services/{name}", b"{")), NOT_STARTED)
        self.assertEqual(self.failure(self.get("/services")), NOT_STARTED)
        self.assertEqual(self.known.calls, [])

    def test_malformed(self) -> None:
        """Broken JSON and wrong types are told with the name of the call."""
        self.started()
        for name in CHANGES:
            for body in (b"{", b'{"serviceName": 1}', b'{"serviceName":"a","providerMetaInfo":1}'):
                self.assertEqual(
                    self.failure(self.post(f"/services/{name}", body)),
                    f"Unmarshal body stream to {name} service request failed.",
                )
            self.assertIn("serviceName", self.failure(self.post(f"/services/{name}", b"{}")))
        self.assertEqual(self.known.calls, [])

    def test_publish(self) -> None:
        """What anthunder sends arrives whole; the port is text."""
        self.started()
        self.assertEqual(self.post("/services/publish", json.dumps(PUBLISH).encode()).json, OK)
        wanted = Publication(
            service="com.x.Svc:1.0", port=21101, protocol="1", version="4.0", appName="lab_app"
        )
        self.assertEqual(self.known.calls, [("publish", wanted)])

    def test_refused(self) -> None:
        """What the registry refuses is a failure with its words."""
        self.started()
        reply = self.post("/services/publish", b'{"serviceName": "refused"}')
        self.assertEqual(self.failure(reply), "no")

    def test_undo(self) -> None:
        """Both ways back."""
        self.started()
        for name in ("unpublish", "unsubscribe"):
            self.assertEqual(self.post(f"/services/{name}", SERVICE).json, OK)
        self.assertEqual(
            self.known.calls, [("unpublish", "com.x.Svc:1.0"), ("unsubscribe", "com.x.Svc:1.0")]
        )

    def test_shown(self) -> None:
        """All services, one, and none; one is shown before any announcement, too."""
        zones = {"zone": ["127.0.0.1:1?p=1"]}
        self.assertEqual(self.get("/services/com.x.Svc%3A1.0").json, zones)
        self.assertEqual(self.get("/services/other").body, NO_SERVICES)
        self.started()
        self.assertEqual(self.get("/services").json, {"com.x.Svc:1.0": zones})

    def test_otherPaths(self) -> None:
        """What MOSN has not is not there, and calls that change something need POST."""
        self.assertEqual(self.get("/").status, 404)
        self.assertEqual(ask(self.site, "POST", "/services/x", b"", LOCAL).status, 405)
        for name in CHANGES:
            self.assertEqual(self.get(f"/services/{name}").status, 405)

    def test_guard(self) -> None:
        """Pages of other sites are refused, and names of others on loopback."""
        origin = {**LOCAL, "Origin": "http://evil.example"}
        for fields in (origin, {"Host": "evil.example"}):
            reply = ask(self.site, "POST", "/configs/application", b"{}", fields)
            self.assertEqual(reply.status, 403)
        self.assertIsNone(self.known.application)


class SubscribeTests(SiteCase):
    """`/services/subscribe`, whose answer may wait."""

    def setUp(self) -> None:
        super().setUp()
        self.started()
        self.transport: Any = StringTransport()
        self.client: Any = self.site.buildProtocol(None)
        self.client.makeConnection(self.transport)
        self.client.dataReceived(
            b"POST /services/subscribe HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n"
            % len(SERVICE)
            + SERVICE
        )
        (self.asked,) = self.known.asked

    def answer(self) -> Any:
        """Return the JSON of the answer."""
        head, _, body = self.transport.value().partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200 OK\r\n"), head)
        return json.loads(body)

    def test_answered(self) -> None:
        """The answer comes when the registry has it."""
        self.assertEqual(self.transport.value(), b"")
        self.asked.callback(["127.0.0.1:12220?p=1"])
        expected = {**OK, "serviceName": "com.x.Svc:1.0", "datas": ["127.0.0.1:12220?p=1"]}
        self.assertEqual(self.answer(), expected)

    def test_failed(self) -> None:
        """So does a failure."""
        self.asked.errback(RegistryError("timeout"))
        self.assertEqual(self.answer(), {"errorMessage": "timeout", "success": False})

    def test_clientLeaves(self) -> None:
        """A client that leaves takes its question back."""
        self.client.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.known.cancelled, 1)
        self.assertEqual(self.transport.value(), b"")

    def test_mistake(self) -> None:
        """A mistake of ours is logged and answered in the same form, without its text."""
        self.asked.errback(KeyError("secret"))
        self.assertEqual(self.answer(), {"errorMessage": "internal error", "success": False})
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
