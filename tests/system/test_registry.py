"""The local registry API of the real daemon, asked by anthunder's own client."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import socket
import struct
import threading
from time import monotonic
from typing import Any

import requests
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from mosntx.testing.frames import boltRequest, boltResponse
from tests.system.daemon import Daemon, freePort

SERVICE = "com.mosntx.system.Echo:1.0"
CONFIG = """\
servers:
  - default_log_path: stdout
    listeners:
      - name: egress
        address: "127.0.0.1:{egress}"
        bind_port: true
        filter_chains:
          - filters:
              - {{type: proxy, config: {{downstream_protocol: bolt, router_config_name: egress}}}}
      - name: ingress
        address: "127.0.0.1:{ingress}"
        bind_port: true
        filter_chains:
          - filters:
              - {{type: proxy, config: {{downstream_protocol: bolt, router_config_name: ingress}}}}
    routers:
      - router_config_name: egress
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {{headers: [{{name: service, value: "{service}"}}]}}
                route: {{cluster_name: far}}
      - router_config_name: ingress
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {{headers: [{{name: service, value: "{service}"}}]}}
                route: {{cluster_name: "{service}"}}
cluster_manager:
  clusters:
    - {{name: far, hosts: [{{address: "127.0.0.1:{ingress}"}}]}}
    - {{name: "{service}"}}
registry: {{port_value: {registry}, egress: "127.0.0.1:{egress}"}}
"""


def exactly(connection: socket.socket, size: int) -> bytes:
    """Return so many octets, or fewer when the other end closes."""
    octets = b""
    while len(octets) < size and (part := connection.recv(size - len(octets))):
        octets += part
    return octets


def receive(connection: socket.socket) -> bytes:
    """Return one frame of Bolt version 1, ``b""`` at the end."""
    fixed = exactly(connection, 20)
    if not fixed:
        return b""
    lengths = 12
    if fixed[1]:  # a request, with two octets more in front of its lengths
        fixed += exactly(connection, 2)
        lengths = 14
    names, headers, content = struct.unpack_from(">HHI", fixed, lengths)
    return fixed + exactly(connection, names + headers + content)


class Application:
    """Answers each call with its id and ``answer``."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(20)
            while frame := receive(connection):
                connection.sendall(boltResponse(int.from_bytes(frame[5:9], "big"), b"answer"))

    def stop(self) -> None:
        """End, once the sidecar has left."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class RegistryTests(SynchronousTestCase):
    """A daemon with both listeners, and anthunder 0.8.1."""

    def setUp(self) -> None:
        if importlib.util.find_spec("anthunder") is None:
            raise SkipTest("anthunder is not installed: pip install anthunder")
        self.anthunder: Any = importlib.import_module("anthunder.mesh.mesh_client")
        self.ports = {name: freePort() for name in ("egress", "ingress", "registry")}
        port = self.ports["registry"]
        self.application = Application()
        self.addCleanup(self.application.stop)
        daemon = Daemon(CONFIG.format(service=SERVICE, **self.ports), port)
        self.addCleanup(lambda: self.assertEqual(daemon.stop(), 0))
        self.client = type(
            "Here",
            (self.anthunder.MeshClient,),
            {"_server": f"http://127.0.0.1:{port}/{{}}".format},
        )(self.anthunder.ApplicationInfo("mosntx-system"))
        self.addCleanup(lambda: self.client._sess.close())
        self.url = f"http://127.0.0.1:{port}"

    def publish(self) -> None:
        """Publish as a listener of anthunder does."""
        meta = self.anthunder.ProviderMetaInfo("1", "4.0", "protobuf", "mosntx-system")
        self.client.publish(
            self.anthunder.PublishServiceRequest(SERVICE, meta, str(self.application.port))
        )

    def call(self) -> bytes:
        """Make one call through the egress, as any client would."""
        with socket.create_connection(("127.0.0.1", self.ports["egress"]), 20) as client:
            client.sendall(boltRequest(7, b"question", [(b"service", SERVICE.encode())]))
            return receive(client)

    def test_wholeWay(self) -> None:
        """Start, subscribe, publish, a call through both listeners, and back again."""
        self.assertTrue(self.client.startup())
        answer = self.client.subscribe(SERVICE)
        egress = f"127.0.0.1:{self.ports['egress']}"
        self.assertEqual(answer["datas"], [f"{egress}?p=1&v=4.0&app_name=mosntx-system"])
        self.assertNotEqual(self.call(), boltResponse(7, b"answer"))
        self.publish()
        self.assertEqual(self.call(), boltResponse(7, b"answer"))
        zones = requests.get(f"{self.url}/services/{SERVICE}", timeout=10).json()
        port = self.application.port
        self.assertEqual(zones, {"": [f"127.0.0.1:{port}?p=1&v=4.0&app_name=mosntx-system"]})
        for undo in (self.client.unsubscribe, self.client.unpublish):
            self.assertIs(undo(SERVICE)["success"], True)
        self.assertNotEqual(self.call(), boltResponse(7, b"answer"))

    def test_notStarted(self) -> None:
        """A client that has not announced its application is told so by an exception."""
        error = self.assertRaises(OSError, self.client.subscribe, SERVICE)
        self.assertIn("Registry module not startup", str(error))

    def test_unknown(self) -> None:
        """An unknown service costs three seconds, and is an exception for anthunder."""
        self.client.startup()
        before = monotonic()
        error = self.assertRaises(OSError, self.client.subscribe, "com.mosntx.system.Nobody:1.0")
        self.assertIn("Wait confreg server push data timeout", str(error))
        self.assertTrue(2.5 < monotonic() - before < 20.0)
