"""TR through two real sidecars, with frames of ours at both ends: no open TR peer exists."""

from __future__ import annotations

import socket
import struct
import threading
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import readHead
from mosntx.testing.trframes import trHeartbeat, trRequest, trResponse
from tests.system.daemon import Daemon, freePort, proxyConfig
from tests.system.namedservers import receive

#: An id of each size that Hessian has for a long, at both ends of each range.
IDS = (
    *(-8, 0, 15),  # 1 octet
    *(-2048, -9, 16, 2047),  # 2
    *(-262144, -2049, 2048, 262143),  # 3
    *(-(1 << 31), -262145, 262144, (1 << 31) - 1),  # 5
    *(-(1 << 63), -(1 << 31) - 1, 1 << 31, (1 << 63) - 1),  # 9
)


def readFrame(connection: socket.socket) -> bytes:
    """Read one frame; ``b""`` at the end of the connection."""
    head = receive(connection, 14)
    if not head:
        return b""
    connLength, nameLength, appLength = struct.unpack_from(">IBI", head, 5)
    return head + receive(connection, connLength + nameLength + appLength)


class TrTests(SynchronousTestCase):
    """Client, near sidecar, far sidecar, application."""

    def setUp(self) -> None:
        self.seen: list[int] = []
        listener = socket.create_server(("127.0.0.1", 0))
        server = threading.Thread(target=self.serve, args=(listener,))
        server.start()
        near, far = freePort(), freePort()
        daemons = [
            Daemon(self.config(far, listener.getsockname()[1]), far),
            Daemon(self.config(near, far), near),
        ]

        def stop() -> None:
            codes = [daemon.stop() for daemon in reversed(daemons)]
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            server.join()
            self.assertEqual(codes, [0, 0])

        self.addCleanup(stop)
        self.client = socket.create_connection(("127.0.0.1", near), 10)
        self.addCleanup(self.client.close)

    def config(self, port: int, upstream: int) -> str:
        """A sidecar for TR."""
        text = proxyConfig(port, [upstream]).replace("Http1", "tr")
        return text.replace(
            "match: {prefix: /}", 'match: {headers: [{name: service, value: ".*"}]}'
        )

    def serve(self, listener: socket.socket) -> None:
        """Answer each request with its own arguments; note its id."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,)).start()

    def answer(self, connection: socket.socket) -> None:
        """Serve one connection."""
        with connection:
            while frame := readFrame(connection):
                head: Any = readHead(frame, ConnectionReader())
                self.seen.append(head.requestId)
                connection.sendall(trResponse(head.requestId))

    def test_idsOfEverySize(self) -> None:
        """Each id comes back as it was sent, whatever size it had on the way."""
        for number in IDS:
            self.client.sendall(trRequest(number))
            self.assertEqual(readFrame(self.client), trResponse(number))
        self.assertEqual(sorted(self.seen), list(range(1, len(IDS) + 1)))

    def test_manyAtOnce(self) -> None:
        """Ids of all sizes in flight together: each is answered once."""
        self.client.sendall(b"".join(trRequest(number) for number in IDS))
        answers = sorted(readFrame(self.client) for _ in IDS)
        self.assertEqual(answers, sorted(trResponse(number) for number in IDS))

    def test_heartbeat(self) -> None:
        """A heartbeat is answered by the near sidecar, with its id."""
        self.client.sendall(trHeartbeat(1 << 40))
        head: Any = readHead(readFrame(self.client), ConnectionReader())
        self.assertEqual((head.requestId, head.heartbeatStatus), (1 << 40, 0))
        self.assertEqual(self.seen, [])
