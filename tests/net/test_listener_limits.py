"""A listener in a process that runs out of file descriptors."""

from __future__ import annotations

import resource
import socket
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import TestCase


class ExhaustionTests(TestCase):
    """A process that may open 64 files, and twice as many clients (case 63)."""

    clients = 128

    def setUp(self):
        self.opened: list[socket.socket] = []

    def tearDown(self):
        self.closeAll()

    def closeAll(self):
        """Close all clients."""
        for client in self.opened:
            client.close()
        self.opened.clear()

    def connect(self, address):
        """Return whether the process serves a new connection."""
        client = socket.socket()
        self.opened.append(client)
        client.settimeout(5.0)
        try:
            client.connect(address)
        except ConnectionError:  # refused as soon as it was accepted
            return False
        return self.echoes(client)

    def echoes(self, client):
        """Return whether the process answers."""
        try:
            client.sendall(b"x")
            return client.recv(1) == b"x"
        except ConnectionError:
            return False

    def exhaust(self, reactor, headroom):
        """Open too many connections; return how many are served, all the time."""
        command = [sys.executable, "-m", "tests.net.echo", reactor, str(headroom)]
        process = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            host, port = process.stdout.readline().rsplit(":", 1)
            address = (host, int(port))
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            served = [each for each in range(self.clients) if self.connect(address)]
            self.assertEqual(served, list(range(len(served))))
            for each in served:
                self.assertTrue(self.echoes(self.opened[each]))
            for client in self.opened[:10]:
                client.close()
            self.assertTrue(any(self.connect(address) for _ in range(10)))
        finally:
            self.closeAll()
            process.terminate()
            process.communicate(timeout=10)
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 10.0)
        return len(served)

    def test_headroom(self):
        """Connections leave descriptors to others; those that are served go on, new ones follow."""
        for reactor in ("epoll", "poll", "asyncio"):
            self.assertIn(self.exhaust(reactor, 1), range(30, 49))

    def test_noHeadroom(self):
        """Even when none is left, Twisted's reserve refuses who comes, and all goes on."""
        self.assertIn(self.exhaust("epoll", 0), range(40, 64))
