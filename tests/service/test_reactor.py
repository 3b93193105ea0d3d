"""Tests of `mosntx.service.reactor`."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

from twisted.application.reactors import getReactorTypes
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone, ConnectionFdescWentAway
from twisted.internet.interfaces import IReactorFDSet
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.service.reactor import BATCH, Reactor

#: Says which reactor a program has, by the name of its class.
TELL = "from twisted.internet import reactor; print(type(reactor).__module__)"


class End(FileDescriptor):
    """One end of a pair of sockets, that reads what there is."""

    fileno: Any

    def __init__(self, reactor, sock, onRead=None):
        super().__init__(reactor)
        self.socket = sock
        self.fileno = sock.fileno
        self.connected = 1
        self.onRead = onRead
        self.read = b""
        self.reasons = []

    def doRead(self):
        """See ``IReadDescriptor``."""
        self.read += self.socket.recv(100)
        return None if self.onRead is None else self.onRead()

    def connectionLost(self, reason):
        """See ``IReadDescriptor``."""
        super().connectionLost(reason)
        self.reasons.append(reason.type)


class Sender:
    """Waits for the end of a turn."""

    reactor = None

    def __init__(self, log, name):
        self.log = log
        self.name = name

    def turnEnds(self):
        """See `mosntx.net.turns.Waiting`."""
        self.log.append(self.name)


class ReactorCase(SynchronousTestCase):
    """Has a reactor that does not run."""

    def setUp(self):
        self.reactor = Reactor()
        self.addCleanup(self.close)

    def close(self):
        self.reactor.removeAll()
        for reader in list(self.reactor._internalReaders):
            self.reactor._internalReaders.remove(reader)
            self.reactor.removeReader(reader)
            reader.connectionLost(None)
        self.reactor._poller.close()

    def pair(self, onRead=None):
        """Return an end in the reactor, and its peer."""
        here, there = socket.socketpair()
        self.addCleanup(here.close)
        self.addCleanup(there.close)
        end = End(self.reactor, here, onRead)
        end.startReading()
        self.addCleanup(end.stopReading)
        return end, there


class EventTests(ReactorCase):
    """What a poll does."""

    def test_interface(self):
        """It is a reactor for descriptors."""
        verifyObject(IReactorFDSet, self.reactor)

    def test_read(self):
        """Octets are read."""
        end, peer = self.pair()
        peer.send(b"x")
        self.reactor.doIteration(0)
        self.assertEqual((end.read, end.reasons), (b"x", []))

    def test_end(self):
        """A peer that has gone is an end."""
        end, peer = self.pair(ConnectionDone)
        peer.close()
        self.reactor.doIteration(0)
        self.assertEqual(end.reasons, [ConnectionDone])

    def test_batch(self):
        """Of many sockets that are ready some have to wait, and come first the next time."""
        pairs = [self.pair() for _ in range(BATCH + 10)]
        for _, peer in pairs:
            peer.send(b"x")
        self.reactor.doIteration(0)
        self.assertEqual(sum(len(end.read) for end, _ in pairs), BATCH)
        for _, peer in pairs:
            peer.send(b"x")
        self.reactor.doIteration(0)
        self.assertEqual([end for end, _ in pairs if not end.read], [])

    def test_closedByAnother(self):
        """A socket that an earlier event of the batch has closed gets none."""
        ends: list[End] = []

        def stopAll():
            for end in ends:
                end.stopReading()

        for _ in range(3):
            end, peer = self.pair(stopAll)
            ends.append(end)
            peer.send(b"x")
        self.reactor.doIteration(0)
        self.assertEqual(sorted(end.read for end in ends), [b"", b"", b"x"])

    def test_failure(self):
        """A socket whose reading fails is logged under its own name, and ended."""

        def fail():
            raise ValueError("read")

        end, peer = self.pair(fail)
        other, itsPeer = self.pair()
        peer.send(b"x")
        itsPeer.send(b"x")
        self.reactor.doIteration(0)
        self.assertEqual((end.reasons, other.read), ([ValueError], b"x"))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_lostDescriptor(self):
        """A socket without descriptor is ended."""
        end, peer = self.pair()
        peer.send(b"x")
        end.fileno = lambda: -1
        self.reactor.doIteration(0)
        self.assertEqual(end.reasons, [ConnectionFdescWentAway])

    def test_write(self):
        """Room for octets is an event as ever."""
        end, peer = self.pair()
        end.writeSomeData = end.socket.send
        end.write(b"out")
        self.reactor.doIteration(0)
        self.assertEqual(peer.recv(100), b"out")


class TurnTests(ReactorCase):
    """When turns end."""

    def setUp(self):
        super().setUp()
        self.log = []

    def test_events(self):
        """What events have written is sent after all events of the poll."""
        turn = self.reactor.turn
        for name in ("a", "b"):
            _, peer = self.pair(lambda name=name: turn.add(Sender(self.log, name)))
            peer.send(b"x")
        self.reactor.doIteration(0)
        self.assertEqual(sorted(self.log), ["a", "b"])

    def test_timers(self):
        """What timed calls have written is sent before the reactor waits."""
        self.reactor.callLater(0, self.reactor.turn.add, Sender(self.log, "timed"))
        self.reactor.runUntilCurrent()
        self.assertEqual(self.log, ["timed"])

    def test_noWait(self):
        """With something to send a poll does not wait."""
        self.reactor.turn.add(Sender(self.log, "now"))
        self.reactor.doIteration(None)
        self.assertEqual(self.log, ["now"])


class InstallTests(SynchronousTestCase):
    """How a process gets it."""

    def told(self, *lines):
        """Return what a program prints."""
        command = [sys.executable, "-W", "error", "-c", "\n".join(lines)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_plugin(self):
        """``twistd --help-reactors`` lists it."""
        found: Any
        (found,) = (each for each in getReactorTypes() if each.shortName == "mosntx")
        self.assertEqual(found.moduleName, "mosntx.service.reactor")

    def test_byName(self):
        """``--reactor=mosntx`` installs it."""
        told = self.told(
            "from twisted.application.reactors import installReactor",
            "installReactor('mosntx')",
            TELL,
        )
        self.assertEqual(told, "mosntx.service.reactor")

    def test_default(self):
        """A process of ours has it when nobody chose."""
        told = self.told(
            "from mosntx.service.process import chooseReactor", "chooseReactor()", TELL
        )
        self.assertEqual(told, "mosntx.service.reactor")

    def test_chosen(self):
        """A reactor that is there stays."""
        told = self.told(
            "from twisted.internet import pollreactor",
            "pollreactor.install()",
            "from mosntx.service.process import chooseReactor",
            "chooseReactor()",
            TELL,
        )
        self.assertEqual(told, "twisted.internet.pollreactor")

    def test_importing(self):
        """Importing the command lines installs nothing: the choice comes later."""
        told = self.told(
            "import sys, mosntx.service.cli, mosntx.service.tap, mosntx.service.reactor",
            "print('twisted.internet.reactor' in sys.modules)",
        )
        self.assertEqual(told, "False")
