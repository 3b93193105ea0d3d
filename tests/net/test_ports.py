"""Binding, on the running reactor: what the system says cannot be faked."""

from __future__ import annotations

import os
import socket
import stat
from itertools import count

from twisted.internet.defer import inlineCallbacks
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from mosntx.contracts.net import LISTENER_CLOSED
from mosntx.net.listener import BindFailed, Listener, ListenerOptions
from mosntx.net.timers import TimerWheel


class Base(TestCase):
    """Makes listeners on the running reactor."""

    def setUp(self):
        from twisted.internet import reactor  # noqa: TID251 - the tests of real sockets run on it

        self.reactor = reactor
        self.wheel = TimerWheel(reactor, reactor.seconds)
        self.addCleanup(self.wheel.stop)

    def listener(self, address, network="tcp", shared=False):
        listener = Listener(
            "main",
            address,
            self.reactor,
            self.wheel,
            count(1),
            [],
            options=ListenerOptions(network=network, sharedPort=shared),
        )
        self.addCleanup(listener.stop)
        return listener

    def reason(self, listener):
        """Return why a listener cannot start."""
        with self.assertRaises(BindFailed) as caught:
            listener.start()
        self.assertIn(f"cannot listen on {listener.address}: ", str(caught.exception))
        return caught.exception.reason


class TcpTests(Base):
    """TCP ports."""

    def test_bound(self):
        """Port 0 lets the system choose; the listener knows which one it was."""
        listener = self.listener("127.0.0.1:0")
        listener.start()
        self.assertNotIn(":0", listener.boundAddress)
        self.assertTrue(listener.boundAddress.startswith("127.0.0.1:"))

    def test_inUse(self):
        """A port that somebody else has says so."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            reason = self.reason(self.listener(f"127.0.0.1:{port}"))
            self.assertEqual(reason, f"port {port} is in use by another process")

    def test_foreignAddress(self):
        """An address of another machine says so."""
        reason = self.reason(self.listener("192.0.2.1:0"))
        self.assertEqual(reason, "192.0.2.1 is no address of this machine")

    def test_unknownName(self):
        """A name without address says so."""
        reason = self.reason(self.listener("no-such-name.invalid:0"))
        self.assertIn("no-such-name.invalid is no address of this machine", reason)


class SharedTests(Base):
    """Ports that several listeners have, here of one process instead of several."""

    def shared(self):
        """Return two listeners on one port."""
        first = self.listener("127.0.0.1:0", shared=True)
        first.start()
        second = self.listener(first.boundAddress, shared=True)
        second.start()
        return first, second

    @inlineCallbacks
    def test_spread(self):
        """Both get connections, and each connection reaches one of them."""
        first, second = self.shared()
        port = int(first.boundAddress.rpartition(":")[2])
        clients = []
        for _ in range(64):  # all of them on one side: once in 2**63 runs
            clients.append(socket.create_connection(("127.0.0.1", port)))
            self.addCleanup(clients[-1].close)
        while first.accepted + second.accepted < len(clients):
            yield deferLater(self.reactor, 0)
        self.assertGreater(first.accepted, 0)
        self.assertGreater(second.accepted, 0)

    @inlineCallbacks
    def test_other(self):
        """When one is gone the other one gets all that comes."""
        first, second = self.shared()
        port = int(first.boundAddress.rpartition(":")[2])
        yield first.drain()
        for _ in range(8):
            client = socket.create_connection(("127.0.0.1", port))
            self.addCleanup(client.close)
        while second.accepted < 8:
            yield deferLater(self.reactor, 0)

    def test_oneSided(self):
        """Who has not agreed to share keeps the port for itself."""
        alone = self.listener("127.0.0.1:0")
        alone.start()
        port = alone.boundAddress.rpartition(":")[2]
        reason = self.reason(self.listener(alone.boundAddress, shared=True))
        self.assertEqual(reason, f"port {port} is in use by another process")


class UnixTests(Base):
    """Unix sockets."""

    def setUp(self):
        super().setUp()
        self.folder = os.path.realpath(self.mktemp())
        os.mkdir(self.folder)
        self.path = os.path.relpath(os.path.join(self.folder, "s"))  # paths have 107 octets at most

    def unix(self):
        return self.listener(self.path, "unix")

    def stale(self):
        """Leave a socket file behind, as a process does that was killed."""
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.path)

    @inlineCallbacks
    def test_life(self):
        """The file is made for owner and group, and removed at the end."""
        listener = self.unix()
        listener.start()
        mode = os.stat(self.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual((stat.S_IMODE(mode), listener.boundAddress), (0o660, self.path))
        yield listener.drain()
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(listener.state, LISTENER_CLOSED)

    def test_stale(self):
        """A file that nobody answers on is replaced."""
        self.stale()
        listener = self.unix()
        listener.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path)

    def test_inUse(self):
        """A file that somebody answers on is left alone."""
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path)
            other.listen(1)
            self.assertEqual(self.reason(self.unix()), "another process listens on it")
        self.assertTrue(os.path.exists(self.path))

    def test_busy(self):
        """Somebody who is too busy to answer is somebody."""
        with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as client:
            other.bind(self.path)
            other.listen(0)
            client.connect(self.path)
            self.assertEqual(self.reason(self.unix()), "another process listens on it")

    def test_datagrams(self):
        """A socket of another kind is left alone."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(self.path)
            self.assertIn("cannot tell whether it is in use", self.reason(self.unix()))

    def test_noSocket(self):
        """A file that is no socket is not removed."""
        with open(self.path, "w") as file:
            file.write("precious")
        self.assertEqual(self.reason(self.unix()), "a file of that name exists and is no socket")
        self.assertEqual(os.path.getsize(self.path), 8)

    def test_noFolder(self):
        """A folder that does not exist says so, and leaves no descriptor open."""
        listener = self.listener(os.path.join(self.path, "x", "y"), "unix")
        self.assertEqual(self.reason(listener), "No such file or directory")

    def test_noFolderButAFile(self):
        """A path through a file says so."""
        with open(self.path, "w"):
            listener = self.listener(os.path.join(self.path, "x"), "unix")
            self.assertEqual(self.reason(listener), "Not a directory")

    @inlineCallbacks
    def test_fileOfAnother(self):
        """The file of a process that has taken over is not removed."""
        listener = self.unix()
        listener.start()
        os.unlink(self.path)
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(self.path)
            yield listener.drain()
            self.assertTrue(os.path.exists(self.path))

    @inlineCallbacks
    def test_fileGone(self):
        """A file that somebody else has removed does not keep the port open."""
        listener = self.unix()
        listener.start()
        os.unlink(self.path)
        yield listener.drain()
        self.assertEqual(listener.state, LISTENER_CLOSED)

    @inlineCallbacks
    def test_abstract(self):
        """An abstract socket has no file."""
        listener = self.listener(f"@mosntx-test-{os.getpid()}", "unix")
        listener.start()
        self.assertEqual(listener.boundAddress, listener.address)
        yield listener.drain()
