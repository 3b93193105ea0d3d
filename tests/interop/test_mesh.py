"""Clients and servers of other implementations through two sidecars, and what a failure looks like.

All pairs run: every client with every server by Bolt v1, and those of Node also by v2 and by v2
with a checksum. ``MOSNTX_INTEROP_CALLS`` changes how many calls each pair makes at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from tests.interop.calls import PeerTestCase, mixedSizes
from tests.interop.mesh import Mesh
from tests.interop.peers import (
    ANTHUNDER,
    BOLT_NODE,
    HESSIAN,
    PROTOBUF,
    RPC_NODE,
    V1,
    V2,
    V2_CRC,
    Client,
)
from tests.system.daemon import until

CALLS = int(os.environ.get("MOSNTX_INTEROP_CALLS", "1000"))
#: Calls of each client that are under way when a sidecar dies (anthunder's server has 30 threads),
#: and for how many milliseconds the server holds them.
HELD, HOLD = 8, 10_000
#: Calls after the failure.
AGAIN = 100
#: What the near sidecar says when a connection ends with calls on it, and when it cannot make one
#: (spec/proxy.md 7).
UNKNOWN, NO_PROCESSOR = "3", "6"


class MeshTestCase(PeerTestCase):
    """A client, two sidecars and a server."""

    def build(
        self,
        server: str,
        clients: list[str],
        version: str = V1,
        nearFilters: str = "",
        nearCluster: str = "",
    ) -> Mesh:
        """Start everything but the clients."""
        self.needs(server, *clients)
        self.server, port = self.startServer(server)
        mesh = Mesh(port, version, nearFilters, nearCluster)
        self.addCleanup(mesh.stop)
        return mesh

    def hold(self, *clients: Client) -> None:
        """Make calls and wait until the server has all of them."""
        wanted = self.server.output.count("held") + HELD * len(clients)
        for client in clients:
            client.tell(do="calls", sizes=[100] * HELD, pause=HOLD)
        until(lambda: self.server.output.count("held") == wanted, "the calls arrive")

    def untilCalled(self, client: Client) -> None:
        """Wait until a call succeeds."""
        until(lambda: client.ask(do="calls", sizes=[1])["right"] == 1, "a call succeeds")


class CombinationTests(MeshTestCase):
    """One server, one after the other all clients that speak its version of Bolt."""

    def combine(self, server: str, names: list[str], version: str, codec: str) -> None:
        """Make many calls, then kill the server's sidecar under calls and start it again."""
        mesh = self.build(server, names, version)
        clients = {name: self.startClient(name, mesh.port, version, codec) for name in names}
        for client in clients.values():
            self.checkCalls(client, server, mixedSizes(CALLS))
            self.checkHeartbeat(client)
        self.hold(*clients.values())
        mesh.killFar()
        for name, client in clients.items():
            result = client.hear()
            self.assertEqual(self.outline(result), (0, 0, HELD, {UNKNOWN: HELD}), (name, result))
        for name, client in clients.items():
            result = client.ask(do="calls", sizes=[10])
            self.assertEqual(self.outline(result), (0, 0, 1, {NO_PROCESSOR: 1}), (name, result))
        mesh.startFar()
        for client in clients.values():
            self.untilCalled(client)
            self.checkCalls(client, server, mixedSizes(AGAIN))
            self.checkHeartbeat(client)
        until(lambda: "heartbeat" in self.server.output, "a sidecar's heartbeat")

    def test_anthunder(self) -> None:
        """Bolt v1 to Python."""
        self.combine(ANTHUNDER, [ANTHUNDER, BOLT_NODE, RPC_NODE], V1, PROTOBUF)

    def test_boltNode(self) -> None:
        """Bolt v1 to Node."""
        self.combine(BOLT_NODE, [ANTHUNDER, BOLT_NODE, RPC_NODE], V1, PROTOBUF)

    def test_rpcNode(self) -> None:
        """Bolt v1 to Node's SOFARPC."""
        self.combine(RPC_NODE, [ANTHUNDER, BOLT_NODE, RPC_NODE], V1, PROTOBUF)

    # With Hessian the header map has nothing but the service.

    def test_boltNodeVersionTwo(self) -> None:
        """Bolt v2 without checksum to Node."""
        self.combine(BOLT_NODE, [BOLT_NODE, RPC_NODE], V2, HESSIAN)

    def test_rpcNodeVersionTwo(self) -> None:
        """Bolt v2 without checksum to Node's SOFARPC."""
        self.combine(RPC_NODE, [BOLT_NODE, RPC_NODE], V2, HESSIAN)

    def test_boltNodeChecksum(self) -> None:
        """Bolt v2 with a checksum in each frame to Node."""
        self.combine(BOLT_NODE, [BOLT_NODE, RPC_NODE], V2_CRC, PROTOBUF)

    def test_rpcNodeChecksum(self) -> None:
        """Bolt v2 with a checksum in each frame to Node's SOFARPC."""
        self.combine(RPC_NODE, [BOLT_NODE, RPC_NODE], V2_CRC, PROTOBUF)


class NearSidecarTests(MeshTestCase):
    """The client's own sidecar dies."""

    def interrupt(self, client: str) -> None:
        """Kill the sidecar under calls, and start it again."""
        mesh = self.build(BOLT_NODE, [client])
        caller = self.startClient(client, mesh.port, V1, PROTOBUF)
        self.hold(caller)
        mesh.killNear()
        self.assertEqual(self.outline(caller.hear()), (0, 0, HELD, {}))
        mesh.startNear()
        self.untilCalled(caller)
        self.checkCalls(caller, BOLT_NODE, mixedSizes(AGAIN))

    def test_boltNode(self) -> None:
        """The client sees its connection end, makes another one, and calls again."""
        self.interrupt(BOLT_NODE)

    def test_rpcNode(self) -> None:
        """The same with a client that looks after its connections itself."""
        self.interrupt(RPC_NODE)


class HeartbeatTests(MeshTestCase):
    """What a client's heartbeat says about the clusters behind its sidecar."""

    FILTER = (
        "{type: healthcheck, config: {passthrough: false, "
        "cluster_min_healthy_percentages: {far: 70}}}"
    )
    CHECK = (
        "health_check: {protocol: %s, service_name: far, timeout: 1s, interval: 200ms, "
        "healthy_threshold: 1, unhealthy_threshold: 2}"
    )

    def outage(self, version: str, protocol: str) -> None:
        """Kill the server's sidecar, then start it again, and ask all the time."""
        mesh = self.build(BOLT_NODE, [BOLT_NODE], version, self.FILTER, self.CHECK % protocol)
        client = self.startClient(BOLT_NODE, mesh.port, version, PROTOBUF)

        def says(status: int) -> Callable[[], bool]:
            return lambda: client.ask(do="heartbeat") == {"answered": True, "status": status}

        until(says(0), "healthy")
        mesh.killFar()
        until(says(1), "the outage is noticed")
        mesh.startFar()
        until(says(0), "the end of the outage is noticed")
        self.checkCalls(client, BOLT_NODE, mixedSizes(AGAIN))

    def test_versionOne(self) -> None:
        """Healthy, error, healthy: a Bolt v1 client sees an outage."""
        self.outage(V1, "bolt")

    def test_versionTwo(self) -> None:
        """The same by Bolt v2, on all legs."""
        self.outage(V2, "boltv2")
