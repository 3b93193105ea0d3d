"""A Sidecar that owns its process: exit codes, signals, pid file.

Used by ``twistd mosn`` and ``mosntx run``, not when embedded.
"""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mosntx.config.checks import checkPorts
from mosntx.config.problems import ERROR, ConfigError
from mosntx.net.ports import BindFailed
from mosntx.service.garbage import Garbage
from mosntx.service.places import placed
from mosntx.service.sidecar import Sidecar
from mosntx.stats.loop import GarbageStats

log = Logger()

#: Log levels of the command line (MOSN's ``-l``) in the names of the configuration. ``off`` leaves
#: what ends the process.
LOG_LEVELS = {
    "trace": "TRACE",
    "debug": "DEBUG",
    "info": "INFO",
    "warning": "WARN",
    "error": "ERROR",
    "critical": "FATAL",
    "off": "FATAL",
}

#: Exit code when the process could not start (MOSN).
EXIT_FAILED = 1


class Process(Service):
    """Runs one Sidecar and speaks to the operating system for it.

    SIGTERM drains, a second one ends at once; SIGINT and SIGQUIT end at once (MOSN); SIGUSR1 opens
    log files again.

    :param garbage: settles the garbage collector; without it that is left alone.
    """

    name = "mosn"

    def __init__(self, sidecar: Sidecar, reactor: Any, garbage: Garbage | None = None) -> None:
        self.sidecar = sidecar
        self._garbage = garbage
        self._reactor = reactor
        self._stopping = False
        self._pidFile = ""

    @classmethod
    def orExit(
        cls,
        path: str,
        *,
        strict: bool = False,
        logLevel: str | None = None,
        drainSeconds: float | None = None,
        console: bool = False,
    ) -> Process:
        """Make one from a file; print what is wrong and leave when it cannot be.

        :param logLevel: one of `LOG_LEVELS`, ``None`` = the file's.
        :param console: standard output is ours.

        :raises SystemExit: with code 1.
        """
        chooseReactor()
        from twisted.internet import reactor

        try:
            sidecar = Sidecar.fromFile(path, strict=strict, reactor=reactor, console=console)
            wrong = [p for p in checkPorts(sidecar.loaded.config) if p.severity == ERROR]
            if wrong:
                raise ConfigError(placed(sidecar.loaded, wrong))
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(EXIT_FAILED) from None
        if drainSeconds is not None:
            sidecar.gracefulTimeout = drainSeconds
        if logLevel is not None:
            sidecar.setLogLevel(LOG_LEVELS[logLevel])
        return cls(sidecar, reactor, Garbage(GarbageStats()))

    def startService(self) -> None:
        """Start the Sidecar.

        :raises SystemExit: with code 1 when a port cannot be had.
        """
        super().startService()  # type: ignore[no-untyped-call]  # Twisted
        try:
            self.sidecar.startService()
        except BindFailed as error:
            sys.stderr.write(f"mosntx: {error}\n")
            raise SystemExit(EXIT_FAILED) from None
        log.info("the reactor is {module}", module=type(self._reactor).__module__)
        self._writePid(self.sidecar.loaded.config.pid)
        self._reactor.callWhenRunning(self._takeSignals)
        if self._garbage is not None:
            self.sidecar.stats.register(self._garbage.stats)
            self._reactor.callWhenRunning(self._garbage.settle)

    def stopService(self) -> Deferred[None]:
        """Drain."""
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted
        self._stopping = True
        if self._garbage is not None:
            self._garbage.stop()
        stopped = self.sidecar.stopService()
        stopped.addBoth(self._removePid)
        return stopped

    # signals

    def _takeSignals(self) -> None:
        """After the reactor has set its own handlers, which know no drain."""
        for number, answer in (
            (signal.SIGTERM, self._terminate),
            (signal.SIGINT, self._interrupt),
            (signal.SIGQUIT, self._interrupt),
            (signal.SIGUSR1, self.sidecar.reopenLogs),
        ):
            signal.signal(number, self._fromSignal(answer))

    def _fromSignal(self, answer: Callable[[], object]) -> Callable[[int, Any], None]:
        return lambda _number, _frame: self._reactor.callFromThread(answer)

    def _terminate(self) -> None:
        if self._stopping:
            log.warn("asked again to stop: ending at once")
            self.sidecar.abort()
        else:
            self._stop()

    def _interrupt(self) -> None:
        self.sidecar.abort()
        if not self._stopping:
            self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._reactor.stop()

    # pid file

    def _writePid(self, path: str) -> None:
        if not path:
            return
        try:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
            self._pidFile = path
        except OSError as error:
            log.warn("no pid file: {error}", error=error)

    def _removePid(self, result: Any) -> Any:
        path, self._pidFile = self._pidFile, ""
        if path:
            try:
                os.unlink(path)
            except OSError as error:
                log.warn("pid file stays: {error}", error=error)
        return result


def chooseReactor(modules: Container[str] = sys.modules) -> None:
    """Install the reactor of `mosntx.service.reactor`, unless there is one already.

    One that was chosen on a command line is installed by then. Without epoll the choice is
    Twisted's.

    :param modules: those that have been imported.
    :raises ReactorAlreadyInstalledError: when they do not tell of a reactor that there is.
    """
    if "twisted.internet.reactor" not in modules:
        with suppress(ImportError):
            from mosntx.service.reactor import install

            install()


def drainSeconds(text: str) -> float:
    """Return the seconds that a command line gives requests to finish.

    :raises ValueError: when it is no number, or one that cannot be waited for.
    """
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{text!r} is no number of seconds from 0 on")
    return seconds
