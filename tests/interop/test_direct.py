"""Clients and servers of other implementations without a proxy: what the other tests rely on."""

from __future__ import annotations

from tests.interop.calls import MOST, PeerTestCase, mixedSizes
from tests.interop.peers import ANTHUNDER, BOLT_NODE, HESSIAN, PROTOBUF, RPC_NODE, V1, V2, V2_CRC

#: Enough to see that each pair understands each other.
CALLS = 200


class SizesTests(PeerTestCase):
    """The payloads."""

    def test_sizes(self) -> None:
        """They reach from nothing to 1 MiB and are well mixed."""
        for number in (100, CALLS, 1000):
            sizes = mixedSizes(number)
            self.assertEqual((len(sizes), min(sizes), max(sizes)), (number, 0, MOST))
            half = sum(sizes[: number // 2])
            self.assertLess(abs(half / sum(sizes) - 0.5), 0.2)


class DirectTests(PeerTestCase):
    """Each client at each server, in the versions that both speak."""

    def pair(self, client: str, server: str, version: str = V1, codec: str = PROTOBUF) -> None:
        """Let a client call a server."""
        self.needs(client, server)
        _, port = self.startServer(server)
        caller = self.startClient(client, port, version, codec)
        self.checkCalls(caller, server, mixedSizes(CALLS))
        self.checkHeartbeat(caller)

    def test_anthunder(self) -> None:
        """The anthunder client, with all servers."""
        for server in (ANTHUNDER, BOLT_NODE, RPC_NODE):
            self.pair(ANTHUNDER, server)

    def test_boltNode(self) -> None:
        """The sofa-bolt-node client, with all servers."""
        for server in (ANTHUNDER, BOLT_NODE, RPC_NODE):
            self.pair(BOLT_NODE, server)

    def test_rpcNode(self) -> None:
        """The sofa-rpc-node client, with all servers."""
        for server in (ANTHUNDER, BOLT_NODE, RPC_NODE):
            self.pair(RPC_NODE, server)

    def test_versionTwo(self) -> None:
        """The Node peers with version 2 and Hessian."""
        for client in (BOLT_NODE, RPC_NODE):
            for server in (BOLT_NODE, RPC_NODE):
                self.pair(client, server, V2, HESSIAN)

    def test_checksum(self) -> None:
        """The Node peers with version 2 and a checksum in each frame."""
        for client in (BOLT_NODE, RPC_NODE):
            for server in (BOLT_NODE, RPC_NODE):
                self.pair(client, server, V2_CRC)
