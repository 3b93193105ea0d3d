"""Tests of `mosntx.service.conversions`, and of the configuration sample that converts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.problems import ConfigError
from mosntx.service.catalog import standardCatalog
from mosntx.service.protocols import tr
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.mesh import MemoryMesh
from tests.proxy.build import proxyConfig, toCluster
from tests.proxy.convert.build import SERVICE, renumbered, rpcRoute

SAMPLE = Path(__file__).parents[2] / "conf" / "sofarpc-http.yaml"
PATH = "servers[0].routers[0].virtual_hosts[0].routers[0].route.upstream_protocol"
#: With a protocol that nothing converts.
CATALOG = standardCatalog().extended(protocols={"other": tr})


class ProblemTests(SynchronousTestCase):
    """Routes to protocols that cannot be had."""

    def problems(self, client, upstream):
        """What is wrong when clients of some protocols go to an upstream of another."""
        config = proxyConfig(rpcRoute(upstream), proxy={"downstream_protocol": client})
        try:
            MemoryMesh(config, catalog=CATALOG).sidecar.stopService()
        except ConfigError as error:
            return [(problem.path, problem.message) for problem in error.problems]
        return []

    def test_possible(self):
        """All pairs that are in the table, and those that need none."""
        for client, upstream in (
            ("bolt", "Http1"), ("boltv2", "Http1"), ("Http1", "bolt"), ("Http1", "boltv2"),
            ("tr", "bolt"), ("boltv2", "tr"), ("bolt", "boltv2"), ("tr", "tr"), ("Http1", ""),
            ("Http1", "Http2"), ("Http2", "Http1"), ("Http2", "bolt"), ("bolt", "Http2"),
            ("tr", "Http2"), ("Http2", "tr"), ("tr", "Http1"), ("Http1", "tr"),
        ):  # fmt: skip
            self.assertEqual(self.problems(client, upstream), [], (client, upstream))

    def test_impossible(self):
        """The route is named."""
        message = "requests that come as other cannot be converted to 'Http1'"
        self.assertEqual(self.problems("other", "Http1"), [(PATH, message)])
        self.assertEqual([path for path, _ in self.problems("Http1", "other")], [PATH])

    def test_severalProtocols(self):
        """One protocol of the listener that can be converted is enough."""
        self.assertEqual(self.problems("bolt,other", "tr"), [])
        self.assertEqual(self.problems("Auto", "other"), [])

    def test_oldFile(self):
        """In a file of the old style the proxy is named."""
        host = {"name": "all", "domains": ["*"], "routers": [toCluster()]}
        proxy = {
            "downstream_protocol": "other",
            "upstream_protocol": "Http1",
            "router_config_name": "",
            "virtual_hosts": [host],
        }
        config = proxyConfig(proxy=proxy)
        error = self.assertRaises(ConfigError, MemoryMesh, config, catalog=CATALOG)
        (problem,) = [one for one in error.problems if one.severity == "error"]
        self.assertIn("cannot be converted", problem.message)
        self.assertTrue(problem.path.endswith(".upstream_protocol"), problem.path)


class SampleTests(SynchronousTestCase):
    """``conf/sofarpc-http.yaml``: two sidecars, Bolt outside, HTTP/1 between them."""

    def setUp(self):
        self.mesh = MemoryMesh(SAMPLE.read_text("utf-8"))

    def tearDown(self):
        self.mesh.hangUp()
        self.mesh.sidecar.stopService()
        self.mesh.advance(3)

    def hops(self, frame):
        """Send a request through both; return client, HTTP's two ends, and the application."""
        client = self.mesh.client("rpc_client")
        client.send(frame)
        out, into = self.mesh.upstream(), self.mesh.client("rpc_server")
        into.send(out.take())
        return client, out, into, self.mesh.upstream()

    def test_lossless(self):
        """The application gets the client's frame, the client the application's."""
        headers = [
            SERVICE,
            (b"sofa_head_method_name", b"greet"),
            (b"Key", b"\0\r\n"),
            (b"host", b"h"),
        ]
        frame = boltRequest(7, bytes(100_000), headers, codec=11, timeout=5000)
        client, out, into, application = self.hops(frame)
        self.assertEqual(application.take(), renumbered(frame, 1))
        answer = boltResponse(1, b"answer", [(b"Key", b"\r\n"), (b"Key", b"x")], status=2, codec=11)
        application.send(answer)
        out.send(into.take())
        self.assertEqual(client.take(), renumbered(answer, 7))

    def test_version2(self):
        """The same in version 2 with CRC32."""
        crc: dict[str, Any] = {"version": 2, "ver1": 2, "switch": 1}
        client, out, into, application = self.hops(boltRequest(7, b"q", [SERVICE], **crc))
        self.assertEqual(application.take(), boltRequest(1, b"q", [SERVICE], **crc))
        application.send(boltResponse(1, b"a", **crc))
        out.send(into.take())
        self.assertEqual(client.take(), boltResponse(7, b"a", **crc))

    def test_failure(self):
        """A failure behind the second sidecar comes as Bolt's own, of the same status."""
        client, out, into, application = self.hops(boltRequest(7, b"q", [SERVICE]))
        application.reset()
        out.send(into.take())
        self.assertEqual(client.take(), boltResponse(7, status=3, className=b""))

    def test_timeout(self):
        """An application that does not answer: the first sidecar has the timeout of the frame."""
        client, out, _into, _application = self.hops(boltRequest(7, b"q", [SERVICE]))
        self.mesh.advance(3.5)
        self.assertEqual(client.take(), boltResponse(7, status=7, className=b""))
        self.assertTrue(out.closed)

    def test_oneway(self):
        """A one-way request arrives, and nothing comes back."""
        frame = boltRequest(7, b"q", [SERVICE], oneway=True)
        client, out, into, application = self.hops(frame)
        self.assertEqual(application.take(), renumbered(frame, 1))
        answer = into.take()
        self.assertTrue(answer.startswith(b"HTTP/1.1 202 "))
        out.send(answer)
        self.assertEqual(client.take(), b"")
