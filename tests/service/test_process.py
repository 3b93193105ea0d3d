"""Tests of `mosntx.service.process`."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import socket

from twisted.application.service import IService
from twisted.internet.error import ReactorAlreadyInstalledError
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from mosntx.service import Sidecar
from mosntx.service.garbage import Garbage
from mosntx.service.process import (
    EXIT_FAILED,
    LOG_LEVELS,
    Process,
    chooseReactor,
    drainSeconds,
)
from mosntx.service.states import GRACEFUL_STOPPING, RUNNING, STOPPED
from mosntx.stats.loop import GarbageStats
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import (
    BAD_FILTERS,
    TEXT,
    PickyReactor,
    ServiceCase,
    adminOn,
    config,
    inFlight,
)

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1)


class ProcessCase(ServiceCase):
    """Makes processes, none of which owns this one."""

    def busy(self):
        """Return a process whose Sidecar has a request under way."""
        self.mesh = MemoryMesh(TEXT)
        self.client, self.upstream = inFlight(self.mesh)
        self.process = Process(self.mesh.sidecar, self.mesh.reactor)
        return self.process

    def stderr(self, function, *arguments, **options):
        """Return exit code and standard error of what leaves."""
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            leaving = self.assertRaises(SystemExit, function, *arguments, **options)
        return leaving.code, err.getvalue()


class SignalTests(ProcessCase):
    """What signals do."""

    def stop(self):
        """Do what the reactor does when it is stopped."""
        self.assertTrue(self.mesh.reactor.hasStopped)
        return self.process.stopService()

    def test_terminate(self):
        """The first SIGTERM stops the reactor, whose end drains."""
        self.busy()._terminate()
        stopped = self.stop()
        self.assertEqual(self.mesh.sidecar.state, GRACEFUL_STOPPING)
        self.mesh.advance(9)
        self.assertFalse(self.client.transport.lost)
        self.mesh.advance(3)
        self.successResultOf(stopped)

    def test_terminateTwice(self):
        """The second SIGTERM cuts what is left, and says so."""
        self.busy()._terminate()
        stopped = self.stop()
        self.mesh.advance(1)
        self.process._terminate()
        self.mesh.advance(1.5)
        self.assertTrue(self.client.transport.lost)
        self.successResultOf(stopped)
        self.assertIn("asked again to stop: ending at once", self.lines(LogLevel.warn))

    def test_twiceInOneTurn(self):
        """Two SIGTERM before the drain begins do not stop the reactor twice."""
        self.busy()._terminate()
        self.mesh.reactor.hasStopped = False
        self.process._terminate()
        self.assertFalse(self.mesh.reactor.hasStopped)
        stopped = self.process.stopService()
        self.mesh.advance(1.5)
        self.successResultOf(stopped)

    def test_interrupt(self):
        """SIGINT cuts at once."""
        self.busy()._interrupt()
        stopped = self.stop()
        self.mesh.advance(1.5)
        self.assertTrue(self.client.transport.lost)
        self.successResultOf(stopped)

    def test_interruptDuringTheDrain(self):
        """SIGINT after SIGTERM ends the drain."""
        self.busy()._terminate()
        stopped = self.stop()
        self.mesh.reactor.hasStopped = False
        self.process._interrupt()
        self.mesh.advance(1.5)
        self.successResultOf(stopped)
        self.assertFalse(self.mesh.reactor.hasStopped)

    def test_wired(self):
        """Once the reactor runs, real signals reach the methods by way of the event loop."""
        for number in SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        reactor = PickyReactor()
        path = self.folder() / "a.log"
        text = TEXT.replace("graceful_timeout: 10s", f"default_log_path: {path}")
        sidecar = Sidecar.fromConfig(text, reactor=reactor)
        process = Process(sidecar, reactor)
        before = [signal.getsignal(number) for number in SIGNALS]
        process.startService()
        self.assertEqual([signal.getsignal(number) for number in SIGNALS], before)
        for function, arguments, options in reactor.whenRunningHooks:
            function(*arguments, **options)
        path.rename(f"{path}.1")
        os.kill(os.getpid(), signal.SIGUSR1)
        self.assertFalse(path.exists())
        reactor.advance(0)
        self.assertTrue(path.exists())
        os.kill(os.getpid(), signal.SIGTERM)
        reactor.advance(0)
        self.assertTrue(reactor.hasStopped)
        self.successResultOf(process.stopService())
        os.kill(os.getpid(), signal.SIGQUIT)
        os.kill(os.getpid(), signal.SIGINT)
        reactor.advance(0)
        self.assertEqual(sidecar.state, STOPPED)


class ReactorTests(ProcessCase):
    """Which reactor a process has."""

    def test_installed(self):
        """The one that runs stays; a second one cannot be installed beside it."""
        chooseReactor()
        self.assertRaises(ReactorAlreadyInstalledError, chooseReactor, ())


class GarbageTests(ProcessCase):
    """The garbage collector of a process of our own."""

    def start(self, garbage):
        """Start a process whose reactor does not run yet; return what is published."""
        self.reactor = PickyReactor()
        sidecar = Sidecar.fromConfig(config(), reactor=self.reactor)
        process = Process(sidecar, self.reactor, garbage)
        process.startService()
        self.addCleanup(process.stopService)
        return {type_ for type_, *_ in sidecar.stats.samples()}

    def test_settled(self):
        """It is settled when the start is over, and its pauses are published."""
        garbage = Garbage(GarbageStats())
        self.assertIn("gc", self.start(garbage))
        hooks = [function for function, *_ in self.reactor.whenRunningHooks]
        self.assertEqual(hooks[-1], garbage.settle)

    def test_embedded(self):
        """Without being told it is left alone: the process may be somebody else's."""
        before = gc.get_threshold(), gc.get_freeze_count(), len(gc.callbacks)
        self.assertNotIn("gc", self.start(None))
        for function, arguments, options in self.reactor.whenRunningHooks[1:]:
            function(*arguments, **options)
        self.assertEqual((gc.get_threshold(), gc.get_freeze_count(), len(gc.callbacks)), before)


class PidTests(ProcessCase):
    """The pid file."""

    def start(self, path):
        reactor = PickyReactor()
        sidecar = Sidecar.fromConfig(config(pid=str(path)), reactor=reactor)
        self.process = Process(sidecar, reactor)
        self.process.startService()
        self.assertEqual(sidecar.state, RUNNING)

    def test_file(self):
        """It is written at the start, into a new folder if need be, and removed at the end."""
        path = self.folder() / "run" / "mosn.pid"
        self.start(path)
        self.assertEqual(path.read_text(), f"{os.getpid()}\n")
        self.successResultOf(self.process.stopService())
        self.assertFalse(path.exists())

    def test_none(self):
        """Without a path there is none."""
        self.start("")
        self.successResultOf(self.process.stopService())
        self.assertEqual(self.lines(LogLevel.warn), [])

    def test_unwritable(self):
        """One that cannot be written is a warning, and nothing is removed."""
        folder = self.folder()
        self.start(folder)
        self.assertIn("no pid file: ", self.lines(LogLevel.warn)[0])
        self.successResultOf(self.process.stopService())
        self.assertTrue(folder.exists())

    def test_gone(self):
        """One that somebody has removed is a warning."""
        path = self.folder() / "mosn.pid"
        self.start(path)
        path.unlink()
        self.assertIsNone(self.successResultOf(self.process.stopService()))
        self.assertIn("pid file stays: ", self.lines(LogLevel.warn)[0])

    def test_stopTwice(self):
        """A second stop does not look for it again."""
        self.start(self.folder() / "mosn.pid")
        self.successResultOf(self.process.stopService())
        self.successResultOf(self.process.stopService())
        self.assertEqual(self.lines(LogLevel.warn), [])


class StartTests(ProcessCase):
    """From a file to a process, or not."""

    def made(self, text, **options):
        made = Process.orExit(self.file(text), **options)
        self.addCleanup(made.sidecar.stopService)
        return made

    def free(self):
        """Return `TEXT` with a port that the system chooses."""
        return TEXT.replace("2045", "0")

    def test_service(self):
        """It is a service called `mosn`."""
        made = self.made(self.free())
        verifyObject(IService, made)
        self.assertEqual(made.name, "mosn")

    def test_options(self):
        """The command line's level and time count instead of the file's."""
        made = self.made(self.free(), logLevel="warning", drainSeconds=2.5)
        self.assertEqual(made.sidecar.gracefulTimeout, 2.5)
        self.assertEqual(made.sidecar._logLevel, "WARN")
        self.assertEqual(self.made(self.free(), drainSeconds=0.0).sidecar.gracefulTimeout, 0.0)
        self.assertEqual(self.made(self.free()).sidecar.gracefulTimeout, 10.0)

    def test_levels(self):
        """Every level of the command line is one of the log's."""
        from mosntx.service.logs import LEVELS

        self.assertEqual(set(LOG_LEVELS.values()) - set(LEVELS), set())

    def test_problems(self):
        """All problems are printed, one a line, and the exit code is 1."""
        path = self.file(BAD_FILTERS)
        code, err = self.stderr(Process.orExit, path)
        self.assertEqual((code, len(err.splitlines())), (EXIT_FAILED, 2))
        self.assertTrue(err.startswith(f"{path}:12:13: error: "), err)

    def test_strict(self):
        """Unknown keys end it when asked for."""
        path = self.file(self.free().replace("bind_port: true", "bind_port: true\n        x: 1"))
        self.addCleanup(Process.orExit(path).sidecar.stopService)
        code, err = self.stderr(Process.orExit, path, strict=True)
        self.assertEqual(code, EXIT_FAILED)
        self.assertIn(":7:9: error: ", err)

    def test_missing(self):
        """A file that does not exist."""
        code, err = self.stderr(Process.orExit, "nowhere.yaml")
        self.assertEqual(code, EXIT_FAILED)
        self.assertIn("nowhere.yaml", err)

    def test_portInUse(self):
        """A port in use is said with its place in the file before anything is opened."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            path = self.file(TEXT.replace("2045", str(port)))
            code, err = self.stderr(Process.orExit, path)
        self.assertEqual(code, EXIT_FAILED)
        self.assertTrue(err.startswith(f"{path}:5:18: error: "), err)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}: address already in use", err)

    def test_portInUseLater(self):
        """A port that is taken between the check and the start: one line, and 1."""
        reactor = PickyReactor(34901)
        sidecar = Sidecar.fromConfig(config(admin=adminOn("127.0.0.1")), reactor=reactor)
        code, err = self.stderr(Process(sidecar, reactor).startService)
        self.assertEqual(code, EXIT_FAILED)
        self.assertEqual(err, "mosntx: cannot listen on 127.0.0.1:34901: Address already in use\n")
        self.assertEqual(reactor.open, [])

    def test_drainSeconds(self):
        """Numbers from 0 on."""
        self.assertEqual([drainSeconds(text) for text in ("0", "2.5", "1e3")], [0.0, 2.5, 1000.0])
        for text in ("", "soon", "-1", "nan", "inf"):
            self.assertRaises(ValueError, drainSeconds, text)
