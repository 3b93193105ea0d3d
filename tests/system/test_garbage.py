"""What connections leave for the garbage collector: nothing, with real transports."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
from signal import SIGUSR2
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, freePort, proxyConfig, until

#: ``mosntx`` without a garbage collector of its own accord. On SIGUSR2 it says what there is to
#: collect.
PROGRAM = """
import gc, signal, sys
from collections import Counter
from mosntx.service.cli import main

def look():
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    kinds = Counter(type(each).__name__ for each in gc.garbage)
    gc.garbage.clear()
    print("left over:", dict(kinds), flush=True)

def asked(*_):
    from twisted.internet import reactor
    reactor.callFromThread(look)

signal.signal(signal.SIGUSR2, asked)
gc.disable()
sys.exit(main(sys.argv[1:]))
"""

HEAD = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#: Connections of each kind between two looks; one object for each would be seen at once.
TIMES = 20


class Host(threading.Thread):
    """Answers each request; ``/close`` and closes, ``/reset`` with a RST instead."""

    def __init__(self) -> None:
        super().__init__()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def run(self) -> None:
        """Serve until `close`, all connections in threads of their own."""
        threads = []
        while True:
            connection, _ = self._listening.accept()
            first = connection.recv(4, socket.MSG_PEEK)
            if first == b"STOP":
                connection.close()
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while octets := _received(connection):
                if octets.startswith(b"GET /reset"):
                    _resetOnClose(connection)
                    return
                connection.sendall(ANSWER)
                if octets.startswith(b"GET /close"):
                    return

    def close(self) -> None:
        """End it; connections have to be closed by the other side."""
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.sendall(b"STOP")
        self.join()
        self._listening.close()


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def _resetOnClose(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class GarbageTests(SynchronousTestCase):
    """Connections of every fate, and a look at what is left of them."""

    def setUp(self) -> None:
        self.host = Host()
        self.host.start()
        self.addCleanup(self.host.close)
        self.port, down = freePort(), freePort()
        text = proxyConfig(self.port, [self.host.port])
        # a second cluster, whose only host is down
        text = text.replace(
            "{match: {prefix: /}",
            "{match: {prefix: /down}, route: {cluster_name: down}}, {match: {prefix: /}",
        ).replace(
            "clusters: [",
            "clusters: [{name: down, type: SIMPLE, lb_type: LB_ROUNDROBIN, "
            f'hosts: [{{address: "127.0.0.1:{down}"}}]}}, ',
        )
        self.daemon = Daemon(text, self.port, [sys.executable, "-c", PROGRAM, "run", "-c"])
        self.addCleanup(self.daemon.stop)
        self.looks = 0

    def connect(self) -> socket.socket:
        """Connect to the daemon."""
        made = socket.create_connection(("127.0.0.1", self.port), 10)
        self.addCleanup(made.close)
        return made

    def ask(self, path: bytes) -> bytes:
        """Ask on a connection of its own; return the first line of the answer."""
        with self.connect() as client:
            client.sendall(HEAD % path)
            return client.recv(65536).partition(b"\r\n")[0]

    def leftOver(self) -> str:
        """Return what the daemon says, once it knows that all connections so far are closed."""
        for _ in range(2):
            self.assertEqual(self.ask(b""), b"HTTP/1.1 200 OK")
        self.looks += 1
        self.daemon.kill(SIGUSR2)
        until(lambda: self.daemon.output.count("left over:") == self.looks, "a look")
        return self.daemon.output.rpartition("left over: ")[2].strip()

    def garbage(self, once: object) -> str:
        """Return what is left over when something is done many times."""
        assert callable(once)
        once()
        self.leftOver()
        for _ in range(TIMES):
            once()
        return self.leftOver()

    def test_kept(self) -> None:
        """A client comes, asks and goes."""
        self.assertEqual(self.garbage(lambda: self.ask(b"")), "{}")

    def test_closedByHost(self) -> None:
        """The host closes its connection after the answer."""
        self.assertEqual(self.garbage(lambda: self.ask(b"close")), "{}")

    def test_resetByHost(self) -> None:
        """The host resets its connection instead of an answer."""

        def once() -> None:
            self.assertIn(b" 502 ", self.ask(b"reset"))

        self.assertEqual(self.garbage(once), "{}")

    def test_refused(self) -> None:
        """The host does not listen."""

        def once() -> None:
            self.assertIn(b" 50", self.ask(b"down"))

        self.assertEqual(self.garbage(once), "{}")

    def test_resetByClient(self) -> None:
        """A client resets its connection in the middle of a request."""

        def once() -> None:
            with self.connect() as client:
                client.sendall(HEAD % b"" + HEAD[:10])
                client.recv(65536)
                _resetOnClose(client)

        self.assertEqual(self.garbage(once), "{}")

    def test_nonsense(self) -> None:
        """A client speaks no HTTP."""

        def once() -> None:
            with self.connect() as client:
                client.sendall(b"nonsense\r\n\r\n")
                client.recv(65536)

        self.assertEqual(self.garbage(once), "{}")


class LoopTests(SynchronousTestCase):
    """What a real daemon says of its event loop."""

    def test_loop(self) -> None:
        """The lag is looked at, and the collector was settled after the start."""
        port, admin = freePort(), freePort()
        daemon = Daemon(proxyConfig(port, [freePort()], admin=admin), admin)
        self.addCleanup(daemon.stop)

        def said() -> dict[str, dict[str, float]]:
            with urlopen(f"http://127.0.0.1:{admin}/api/v1/loop", timeout=10) as answer:
                found: dict[str, dict[str, float]] = json.load(answer)
                return found

        until(lambda: said()["loop"]["lag_looks_total"] >= 3, "three looks")
        self.assertGreater(said()["loop"]["lag_max"], 0)
        self.assertIn("pause_max", said()["gc"])
