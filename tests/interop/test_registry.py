"""anthunder finds its sidecar by the local registry API, as in a mesh."""

from __future__ import annotations

import requests

from tests.interop.calls import PeerTestCase, mixedSizes
from tests.interop.mesh import CONFIG
from tests.interop.peers import ANTHUNDER, PROTOBUF, V1
from tests.system.daemon import Daemon, freePort, until

SERVICE = "com.mosntx.interop.Echo:1.0"
CALLS = 100


class RegistryTests(PeerTestCase):
    """A sidecar whose registry API has a port, an anthunder server and an anthunder client."""

    def setUp(self) -> None:
        self.needs(ANTHUNDER)
        self.port, self.registry, application = freePort(), freePort(), freePort()
        config = CONFIG.format(
            name="egress",
            port=self.port,
            protocol="bolt",
            cluster="application",
            upstream=application,
            filters="",
            more="",
        )
        registry = (
            f"registry: {{port_value: {self.registry}, egress: '127.0.0.1:{self.port}', "
            f"app_port: {application}}}\n"
        )
        self.daemon = Daemon(config + registry, self.registry)
        self.addCleanup(self.daemon.stop)
        self.application = application

    def post(self, call: str, **body: object) -> dict[str, object]:
        """Call the API as another application would."""
        url = f"http://127.0.0.1:{self.registry}/{call}"
        answer = requests.post(url, json=body, timeout=10)
        self.assertEqual(answer.status_code, 200)
        result: dict[str, object] = answer.json()
        return result

    def test_publishAndSubscribe(self) -> None:
        """The server publishes, the client subscribes, and its calls take the sidecar's way."""
        option = ("--registry", str(self.registry))
        server = self.startServerAt(ANTHUNDER, self.application, *option)
        until(lambda: "published" in server.output, "the service is published")
        client = self.startClient(ANTHUNDER, self.port, V1, PROTOBUF, *option)
        self.assertEqual(client.ask(do="subscribe"), {"failure": None, "mesh": True})
        self.checkCalls(client, ANTHUNDER, mixedSizes(CALLS))
        self.checkHeartbeat(client)
        # Later versions of anthunder take the address from the answer.
        answer = self.post("services/subscribe", serviceName=SERVICE)
        addresses = answer["datas"]
        assert isinstance(addresses, list)
        self.assertTrue(addresses[0].startswith(f"127.0.0.1:{self.port}?"), addresses)

    def test_notStarted(self) -> None:
        """Before an application has said who it is, nothing can be subscribed; HTTP says 200."""
        answer = self.post("services/subscribe", serviceName=SERVICE)
        self.assertIs(answer["success"], False)
        self.assertIn("/configs/application", str(answer["errorMessage"]))
