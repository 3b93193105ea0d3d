"""What all tests with peers ask of a client."""

from __future__ import annotations

import math
import signal
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.interop.peers import Client, require, startServer
from tests.system.daemon import Running, freePort

#: The largest payload.
MOST = 1 << 20


def mixedSizes(number: int) -> list[int]:
    """Return so many sizes from 0 to 1 MiB, small and large ones mixed.

    Their logarithms are spread evenly: a thousand have 72 MiB together.
    """
    sizes = [int(math.exp2(20 * i / (number - 1))) for i in range(number)]
    sizes[0] = 0
    # Each size is used once; neighbours differ much.
    step = next(step for step in range(number * 3 // 8 | 1, 0, -2) if math.gcd(step, number) == 1)
    return [sizes[i * step % number] for i in range(number)]


class PeerTestCase(SynchronousTestCase):
    """Starts peers, ends them with the test, and judges what clients report."""

    def startServer(self, name: str, *options: str) -> tuple[Running, int]:
        """Start a server; return it and its port."""
        port = freePort()
        return self.startServerAt(name, port, *options), port

    def startServerAt(self, name: str, port: int, *options: str) -> Running:
        """Start a server at this port."""
        server = startServer(name, port, *options)
        self.addCleanup(server.stop, signal.SIGKILL)
        return server

    def startClient(self, name: str, port: int, version: str, codec: str, *options: str) -> Client:
        """Start a client."""
        client = Client(name, port, version, codec, *options)
        self.addCleanup(client.stop)
        return client

    def needs(self, *names: str) -> None:
        """Skip the test when a peer cannot be had."""
        require(*names)

    def checkCalls(self, client: Client, server: str, sizes: list[int]) -> None:
        """Make calls all at once: each gets its own payload back, from this server."""
        result = client.ask(do="calls", sizes=sizes)
        self.assertEqual(self.outline(result), (len(sizes), 0, 0, {}), f"{result}\n{client.log}")
        self.assertEqual(result["servers"], {server: len(sizes)})

    def checkHeartbeat(self, client: Client) -> None:
        """A heartbeat is answered with success, as far as the client can tell."""
        result = client.ask(do="heartbeat")
        self.assertTrue(result["answered"], client.log)
        self.assertIn(result["status"], (0, None))

    def outline(self, result: dict[str, Any]) -> tuple[int, int, int, dict[str, int]]:
        """Return the numbers of right, wrong and failed calls, and statuses with their number."""
        return result["right"], result["wrong"], result["failed"], result["statuses"]
