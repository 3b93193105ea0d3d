from __future__ import annotations

import struct

from echo_protocol import ANSWER, CALL, LONGEST, PING, PONG, Call, EchoProtocol, extend, frame
from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.plugins import installedCatalog
from mosntx.testing.contracts.codec import CodecSuite
from mosntx.testing.mesh import MemoryMesh

CONFIG = """
servers:
  - listeners:
      - name: front
        address: 127.0.0.1:2045
        bind_port: true
        filter_chains:
          - filters:
              - {type: proxy, config: {downstream_protocol: "echo,Http1", router_config_name: all}}
    routers:
      - router_config_name: all
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {headers: [{name: service, value: shop}]}
                route: {cluster_name: shops}
cluster_manager:
  clusters:
    - {name: shops, hosts: [{address: "127.0.0.1:2047"}]}
"""


class SuiteTests(CodecSuite, SynchronousTestCase):
    """The contract of codecs, in all cuts and with random octets."""

    def protocol(self) -> EchoProtocol:
        """See `CodecSuite`."""
        return EchoProtocol()

    def requests(self) -> list[bytes]:
        """See `CodecSuite`."""
        return [frame(1, CALL, b"\4shophello"), frame(0xFFFFFFFF, CALL, b"\0")]

    def requestHead(self) -> Call:
        """See `CodecSuite`."""
        return Call(b"shop", b"hello")

    def response(self, number: int) -> bytes:
        """See `CodecSuite`."""
        return frame(number, ANSWER, b"\0olleh")

    def brokenRequests(self) -> list[bytes]:
        """See `CodecSuite`."""
        kinds = [frame(1, ANSWER, b"\0"), frame(1, 9), frame(1, CALL), frame(1, CALL, b"\4sho")]
        lengths = [struct.pack(">I", 4), struct.pack(">I", LONGEST), b"\xff" * 4]
        return [*kinds, *lengths, frame(1, CALL, b"\0") + b"GET / HTTP/1.1"]


class MeshTests(SynchronousTestCase):
    """A client, a whole sidecar, and an upstream."""

    def setUp(self) -> None:
        """Start the sidecar, and connect."""
        self.mesh = MemoryMesh(CONFIG, catalog=extend(installedCatalog()))
        self.client = self.mesh.client("front")
        self.addCleanup(self.mesh.hangUp)

    def test_anyOrder(self) -> None:
        """Two calls share one connection; their answers find back, in the order they come."""
        self.client.send(frame(70, CALL, b"\4shopa") + frame(71, CALL, b"\4shopb"))
        upstream = self.mesh.upstream()
        self.assertEqual(self.mesh.dialled, [])
        asked = frame(1, CALL, b"\4shopa") + frame(2, CALL, b"\4shopb")
        self.assertEqual(upstream.take(), asked)
        upstream.send(frame(2, ANSWER, b"\0B") + frame(1, ANSWER, b"\0A"))
        answers = frame(71, ANSWER, b"\0B") + frame(70, ANSWER, b"\0A")
        self.assertEqual(self.client.take(), answers)

    def test_noRoute(self) -> None:
        """A local reply is an answer of this protocol."""
        self.client.send(frame(5, CALL, b"\4bank"))
        self.assertTrue(self.client.take()[4:].startswith(frame(5, ANSWER, b"\1")[4:]))

    def test_heartbeats(self) -> None:
        """The sidecar answers pings, and sends its own when an upstream is silent."""
        self.client.send(frame(8, PING))
        self.assertEqual(self.client.take(), frame(8, PONG, b"\0"))
        self.client.send(frame(1, CALL, b"\4shop"))
        upstream = self.mesh.upstream()
        upstream.send(frame(1, ANSWER, b"\0"))
        upstream.take()
        self.mesh.advance(19.0)
        self.assertEqual(upstream.take(), frame(2, PING))
