"""Tests of `mosntx.service.sidecar`: start, stop, and what stands between."""

from __future__ import annotations

import os

from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from mosntx.net.ports import BindFailed
from mosntx.service import Sidecar
from mosntx.service.sidecar import installedReactor
from mosntx.service.states import GRACEFUL_STOPPING, INITING, RUNNING, STOPPED
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import (
    ANSWER,
    TEXT,
    PickyReactor,
    ServiceCase,
    adminOn,
    config,
    inFlight,
    sidecar,
)


class LifeTests(ServiceCase):
    """From the start to the end."""

    def test_service(self):
        """It is a Twisted service with a name."""
        from twisted.application.service import IService

        made = sidecar()
        verifyObject(IService, made)
        self.assertEqual(made.name, "mosntx")

    def test_nothingBeforeTheStart(self):
        """A Sidecar that is only made has opened nothing and waits for nothing."""
        reactor = PickyReactor()
        made = sidecar(reactor=reactor)
        self.assertEqual((reactor.ports, reactor.getDelayedCalls()), ([], []))
        self.assertEqual((made.state, made.running), (INITING, 0))

    def test_start(self):
        """It binds what the configuration says, and says so."""
        mesh = MemoryMesh(TEXT)
        self.assertEqual(
            [(each[0], each[3]) for each in mesh.reactor.tcpServers], [(2045, "127.0.0.1")]
        )
        self.assertEqual((mesh.sidecar.state, mesh.sidecar.running), (RUNNING, 1))
        self.assertIn(f"pid {os.getpid()}", self.lines(LogLevel.info)[-1])

    def test_request(self):
        """A request goes through."""
        mesh = MemoryMesh(TEXT)
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 200 OK\r\n"))
        mesh.hangUp()

    def test_stopIdle(self):
        """Without connections the end comes at once, with nothing left in the reactor."""
        reactor = PickyReactor()
        made = sidecar(reactor=reactor)
        made.startService()
        self.assertIsNone(self.successResultOf(made.stopService()))
        self.assertEqual((reactor.open, reactor.getDelayedCalls()), ([], []))
        self.assertEqual((made.state, made.running), (STOPPED, 0))

    def test_stopWaitsForRequests(self):
        """A request under way is answered before the end; new connections are not taken."""
        mesh = MemoryMesh(TEXT)
        client, upstream = inFlight(mesh)
        stopped = mesh.sidecar.stopService()
        self.assertEqual(mesh.sidecar.state, GRACEFUL_STOPPING)
        mesh.advance(9)
        self.assertNoResult(stopped)
        upstream.send(ANSWER)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 200 OK\r\n"))
        mesh.advance(0.5)
        mesh.hangUp()
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(self.lines(LogLevel.info)[-1], "stopped")
        self.assertEqual(mesh.timers, 0)

    def test_stopIsCut(self):
        """A request that takes longer than the graceful timeout is cut."""
        mesh = MemoryMesh(TEXT)
        client, _upstream = inFlight(mesh)
        stopped = mesh.sidecar.stopService()
        mesh.advance(9.9)
        self.assertFalse(client.transport.lost)
        mesh.advance(2)
        self.assertTrue(client.transport.lost)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(self.lines(LogLevel.info)[-1], "stopped with connections cut")
        self.assertEqual(mesh.timers, 0)

    def test_ownTimeout(self):
        """`gracefulTimeout` may be changed before the stop."""
        mesh = MemoryMesh(TEXT)
        self.assertEqual(mesh.sidecar.gracefulTimeout, 10.0)
        mesh.sidecar.gracefulTimeout = 3.0
        client, _upstream = inFlight(mesh)
        mesh.sidecar.stopService()
        mesh.advance(3.1)
        self.assertTrue(client.transport.lost)

    def test_defaultTimeout(self):
        """Without a value in the file requests get 30 seconds (MOSN)."""
        made = sidecar(TEXT.replace("graceful_timeout: 10s\n    ", ""))
        self.assertEqual(made.gracefulTimeout, 30.0)

    def test_idleClient(self):
        """A client that has asked for nothing does not hold the end up."""
        mesh = MemoryMesh(TEXT)
        client = mesh.client("in")
        stopped = mesh.sidecar.stopService()
        mesh.advance(2)
        self.assertTrue(client.closed)
        mesh.hangUp()
        self.successResultOf(stopped)

    def test_stopTwice(self):
        """Who asks a second time hears of the same end."""
        mesh = MemoryMesh(TEXT)
        inFlight(mesh)
        first, second = mesh.sidecar.stopService(), mesh.sidecar.stopService()
        self.assertNoResult(first)
        self.assertNoResult(second)
        mesh.advance(12)
        self.assertIsNone(self.successResultOf(first))
        self.assertIsNone(self.successResultOf(second))
        self.assertIsNone(self.successResultOf(mesh.sidecar.stopService()))

    def test_impatient(self):
        """Who gives up waiting for the end does not disturb it, nor others who wait."""
        mesh = MemoryMesh(TEXT)
        inFlight(mesh)
        first, second = mesh.sidecar.stopService(), mesh.sidecar.stopService()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        mesh.advance(12)
        self.successResultOf(second)
        self.assertEqual(mesh.sidecar.state, STOPPED)

    def test_stopWithoutStart(self):
        """Stopping what never started is no mistake, and it can be started after that."""
        reactor = PickyReactor()
        made = sidecar(reactor=reactor)
        self.assertIsNone(self.successResultOf(made.stopService()))
        made.startService()
        self.assertEqual(reactor.open, [2045])
        self.successResultOf(made.stopService())

    def test_abort(self):
        """`abort` ends a drain under way."""
        mesh = MemoryMesh(TEXT)
        client, _upstream = inFlight(mesh)
        stopped = mesh.sidecar.stopService()
        mesh.advance(1)
        mesh.sidecar.abort()
        mesh.advance(1.5)
        self.assertTrue(client.transport.lost)
        self.successResultOf(stopped)

    def test_abortFirst(self):
        """`abort` before the stop means that nothing is waited for."""
        mesh = MemoryMesh(TEXT)
        client, _upstream = inFlight(mesh)
        mesh.sidecar.abort()
        self.assertFalse(client.transport.lost)
        stopped = mesh.sidecar.stopService()
        mesh.advance(1.5)
        self.assertTrue(client.transport.lost)
        self.successResultOf(stopped)

    def test_abortAfterTheEnd(self):
        """`abort` of what is over is harmless, and forgotten at the next start."""
        mesh = MemoryMesh(TEXT)
        self.successResultOf(mesh.sidecar.stopService())
        mesh.sidecar.abort()
        self.assertEqual(mesh.sidecar.state, STOPPED)
        mesh.sidecar.startService()
        mesh.reactor.tcpServers.pop(0)  # the port of the first start
        client, _upstream = inFlight(mesh)
        mesh.sidecar.stopService()
        mesh.advance(9)
        self.assertFalse(client.transport.lost)

    def test_runsAfterAnAbort(self):
        """A Sidecar that was aborted once lets requests finish the next time."""
        mesh = MemoryMesh(TEXT)
        mesh.sidecar.abort()
        self.successResultOf(mesh.sidecar.stopService())
        mesh.sidecar.startService()
        mesh.reactor.tcpServers.pop(0)  # the port of the first start
        client, _upstream = inFlight(mesh)
        mesh.sidecar.stopService()
        mesh.advance(9)
        self.assertFalse(client.transport.lost)
        mesh.advance(2)
        self.assertTrue(client.transport.lost)


class AgainTests(ServiceCase):
    """A second start."""

    def test_restart(self):
        """After a stop it can be started again, and serves with counters from zero."""
        reactor = PickyReactor()
        made = sidecar(reactor=reactor)
        made.startService()
        before = made.stats
        self.successResultOf(made.stopService())
        made.startService()
        self.assertEqual((reactor.open, made.state), ([2045], RUNNING))
        self.assertIsNot(made.stats, before)
        self.successResultOf(made.stopService())
        self.assertEqual((reactor.open, reactor.getDelayedCalls()), ([], []))

    def test_servesAgain(self):
        """Requests go through after the second start."""
        mesh = MemoryMesh(TEXT)
        self.successResultOf(mesh.sidecar.stopService())
        mesh.sidecar.startService()
        mesh.reactor.tcpServers.pop(0)  # the port of the first start
        client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertEqual(mesh.value("request_total", listener="in"), 1)
        mesh.hangUp()

    def test_startTwice(self):
        """A second start of one that runs changes nothing: requests go on."""
        mesh = MemoryMesh(TEXT)
        client, upstream = inFlight(mesh)
        mesh.sidecar.startService()
        self.assertEqual(mesh.sidecar.state, RUNNING)
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertIn("it runs already", self.lines(LogLevel.warn)[0])
        mesh.hangUp()

    def test_startDuringTheDrain(self):
        """A start while requests finish is refused in words, and the drain goes on."""
        mesh = MemoryMesh(TEXT)
        client, upstream = inFlight(mesh)
        stopped = mesh.sidecar.stopService()
        error = self.assertRaises(RuntimeError, mesh.sidecar.startService)
        self.assertIn("stopService", str(error))
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        mesh.advance(0.5)
        mesh.hangUp()
        self.successResultOf(stopped)


class BindTests(ServiceCase):
    """Ports that cannot be had."""

    def start(self, made, reactor):
        error = self.assertRaises(BindFailed, made.startService)
        self.assertEqual((reactor.open, reactor.getDelayedCalls()), ([], []))
        self.assertEqual((made.state, made.running), (STOPPED, 0))
        return str(error)

    def test_listener(self):
        """The second listener's port is in use: the first is closed again, the error says which."""
        made = config()
        second = {**made["servers"][0]["listeners"][0], "name": "b", "address": "127.0.0.1:2046"}
        made["servers"][0]["listeners"].append(second)
        reactor = PickyReactor(2046)
        text = self.start(sidecar(made, reactor), reactor)
        self.assertEqual(
            text, "cannot listen on 127.0.0.1:2046: port 2046 is in use by another process"
        )

    def test_admin(self):
        """The admin API's port is in use: the listeners are closed again."""
        reactor = PickyReactor(34901)
        text = self.start(sidecar(config(admin=adminOn("127.0.0.1")), reactor), reactor)
        self.assertEqual(text, "cannot listen on 127.0.0.1:34901: Address already in use")

    def test_sink(self):
        """The port of the last sink is in use: listeners and admin API are closed again."""
        sink = {"type": "prometheus", "config": {"port": 9100}}
        reactor = PickyReactor(9100)
        made = sidecar(config(admin=adminOn("127.0.0.1"), metrics={"sinks": [sink]}), reactor)
        self.assertIn("0.0.0.0:9100", self.start(made, reactor))
        self.assertEqual([port.number for port in reactor.ports], [2045, 34901])

    def test_later(self):
        """When the port is free a later start works, and an end before it is no mistake."""
        reactor = PickyReactor(2045)
        made = sidecar(reactor=reactor)
        self.start(made, reactor)
        self.successResultOf(made.stopService())
        reactor.taken.clear()
        made.startService()
        self.assertEqual((reactor.open, made.state), ([2045], RUNNING))
        self.successResultOf(made.stopService())


class EmbeddingTests(ServiceCase):
    """Inside other applications."""

    def test_multiService(self):
        """As the child of a service it starts and stops with it."""
        reactor = PickyReactor()
        parent = MultiService()
        made = sidecar(reactor=reactor)
        made.setServiceParent(parent)
        self.assertEqual(reactor.open, [])
        parent.startService()
        self.assertEqual(reactor.open, [2045])
        self.successResultOf(parent.stopService())
        self.assertEqual((reactor.open, made.state), ([], STOPPED))

    def test_parentWaits(self):
        """The application's end waits for requests."""
        parent = MultiService()
        mesh = MemoryMesh(TEXT)
        self.successResultOf(mesh.sidecar.stopService())
        parent.startService()
        mesh.sidecar.setServiceParent(parent)
        self.assertEqual(mesh.sidecar.state, RUNNING)
        mesh.reactor.tcpServers.pop(0)  # the port of the first start
        inFlight(mesh)
        stopped = parent.stopService()
        mesh.advance(9)
        self.assertNoResult(stopped)
        mesh.advance(3)
        self.successResultOf(stopped)

    def test_two(self):
        """Two in one process share nothing: ports, names, counters, ends."""
        first = MemoryMesh(TEXT)
        second = MemoryMesh(TEXT.replace("2045", "2055").replace("2047", "2057"))
        client, upstream = inFlight(first)
        self.successResultOf(second.sidecar.stopService())
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertEqual(first.value("request_total", listener="in"), 1)
        self.assertEqual(second.value("request_total", listener="in"), 0)
        self.assertEqual((first.sidecar.state, second.sidecar.state), (RUNNING, STOPPED))
        self.assertIsNot(first.sidecar.clusters, second.sidecar.clusters)
        self.assertEqual(second.sidecar.clusters.names(), [])  # drained
        self.assertEqual(first.sidecar.clusters.names(), ["c"])
        first.hangUp()

    def test_globalReactor(self):
        """Without a reactor it takes the global one, and leaves it alone before its start."""
        from twisted.internet import reactor  # noqa: TID251 - to see that it is the one

        self.assertIs(installedReactor(), reactor)
        readers = list(reactor.getReaders())
        Sidecar.fromConfig(TEXT)
        self.assertEqual(reactor.getReaders(), readers)
