"""The sidecar as a Twisted service.

What users embed, and what ``twistd -n mosn`` and ``mosntx run`` run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from random import Random
from time import monotonic, time
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred, succeed
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from mosntx import __version__
from mosntx.config.load import Loaded, loadFile, loadMapping, loadText
from mosntx.config.problems import ConfigError
from mosntx.config.roller import parseRoller
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.contracts.net import IConnectionEventHandler, IListenerEventHandler
from mosntx.contracts.stream import IStreamEventHandler
from mosntx.net.connector import Connector
from mosntx.net.listener import Listener
from mosntx.net.names import NameCache
from mosntx.net.timers import TimerWheel
from mosntx.proxy.logsink import LogSink
from mosntx.router.tables import Routers
from mosntx.service.announce import FailureLog, ListenerLog
from mosntx.service.catalog import Catalog
from mosntx.service.discovery import holdUntilSettled, nameserversOn
from mosntx.service.explain import Question, explain
from mosntx.service.failures import buildRecorder, failureReport
from mosntx.service.logs import Logs
from mosntx.service.observe import Observation
from mosntx.service.places import placed
from mosntx.service.plugins import installedCatalog
from mosntx.service.shutdown import Shutdown
from mosntx.service.states import (
    AFTER_START,
    GRACEFUL_STOPPING,
    INITING,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
)
from mosntx.service.updates import ClusterUpdates
from mosntx.service.wiring import Context, EventHandlers, Wiring
from mosntx.stats.store import StatsMatcher, StatsStore
from mosntx.upstream.clusters import Clusters
from mosntx.upstream.discovery.context import Nameservers
from mosntx.upstream.health.checks import Callback as HealthCallback

log = Logger()


class Sidecar(Service):
    """One proxy with its listeners, clusters and accounts.

    Any number of them may live in a process: they share nothing.

    Make it with `fromFile` or `fromConfig`, give it to an application with ``setServiceParent``.
    Nothing is opened before `startService`.

    :ivar catalog: what names of the configuration mean.
    :ivar gracefulTimeout: seconds that `stopService` lets requests finish (configuration:
        ``servers[0].graceful_timeout``).
    :ivar state: MOSN's state number (`mosntx.service.states`).
    """

    name = "mosntx"
    state = INITING
    _logLevel = ""
    _shutdown: Shutdown | None = None
    _ports: list[IListeningPort]
    _alsoStopped: list[Deferred[None]]
    _hurried = False

    def __init__(
        self,
        loaded: Loaded,
        *,
        path: str = "",
        console: bool = False,
        dry: bool = False,
        reactor: Any = None,
        catalog: Catalog | None = None,
        listenerEventHandlers: Iterable[IListenerEventHandler] = (),
        connectionEventHandlers: Iterable[IConnectionEventHandler] = (),
        streamEventHandlers: Iterable[IStreamEventHandler] = (),
        nameservers: Callable[[ClusterConfig], Nameservers] | None = None,
        healthCallbacks: Mapping[str, HealthCallback] | None = None,
        random: Random | None = None,
        seconds: Callable[[], float] = monotonic,
        wallSeconds: Callable[[], float] = time,
    ) -> None:
        """Make all objects.

        :param path: of the configuration file; log files go to ``logs`` beside its directory.
        :param console: standard output is ours: the default log may be written there.
        :param dry: it will not be started: open no log.
        :param reactor: the global one when not given.
        :param catalog: what names mean; the standard one with installed extensions when not given.
        :param nameservers: whom a cluster asks for names, instead of what its configuration says.
        :param healthCallbacks: by the name in ``health_check.common_callbacks``.
        :raises ConfigError: when something cannot be made from the configuration.
        """
        self._reactor = installedReactor() if reactor is None else reactor
        self.catalog = installedCatalog() if catalog is None else catalog
        self._random, self._nameservers = random or Random(), nameservers
        self._seconds, self._wallSeconds = seconds, wallSeconds
        listener, stream = (ListenerLog(), *listenerEventHandlers), FailureLog(seconds)
        every = tuple(connectionEventHandlers), (stream, *streamEventHandlers)
        self._handlers = EventHandlers(listener, *every, dict(healthCallbacks or {}))
        self._console, self._dry, self._logDirectory = console, dry, logDirectory(path)
        self.loaded = loaded
        self.gracefulTimeout = loaded.config.server.graceful_timeout or 30.0
        self._wire()

    @classmethod
    def fromFile(
        cls, path: str, *, strict: bool = False, catalog: Catalog | None = None, **options: Any
    ) -> Sidecar:
        """Read a configuration file, YAML or JSON.

        :param strict: unknown keys are errors.
        :param options: of the constructor.
        :raises ConfigError: with every problem of the file.
        """
        catalog = installedCatalog() if catalog is None else catalog
        loaded = loadFile(path, catalog.names(), strict)
        return cls(loaded, path=path, catalog=catalog, **options)

    @classmethod
    def fromConfig(
        cls,
        config: Mapping[str, Any] | str,
        *,
        strict: bool = False,
        catalog: Catalog | None = None,
        **options: Any,
    ) -> Sidecar:
        """Take a configuration: a mapping in the shape of the file, or text in YAML or JSON.

        :raises ConfigError: with every problem.
        """
        catalog = installedCatalog() if catalog is None else catalog
        names = catalog.names()
        if isinstance(config, str):
            loaded = loadText(config, "<text>", names, strict)
        else:
            loaded = loadMapping(config, names, strict)
        return cls(loaded, catalog=catalog, **options)

    # what users may look at

    @property
    def clusters(self) -> Clusters:
        """The clusters; hosts may be changed at run time."""
        return self._wiring.clusters

    @property
    def clusterUpdates(self) -> ClusterUpdates:
        """Run-time changes of clusters in the shape of the configuration file, checked like it."""
        return ClusterUpdates(self._wiring.clusters, self.catalog.names())

    @property
    def routers(self) -> Routers:
        """The routers; they may be replaced at run time."""
        return self._wiring.routers

    @property
    def listeners(self) -> Mapping[str, Listener]:
        """The listeners by name; `Listener.boundAddress` tells a port that was configured as 0."""
        return {listener.name: listener for listener in self._wiring.listeners}

    @property
    def stats(self) -> StatsStore:
        """All counters."""
        return self._context.store

    def failures(self) -> Mapping[str, Any]:
        """Why the last requests failed, as the admin API says it; see docs/howto/failures."""
        return failureReport(self._context.recorder, self.loaded)

    def explain(self, question: Question, listener: str = "") -> Mapping[str, Any]:
        """What would happen to a request; see docs/howto/explain.

        :param listener: its name, if there are several.
        :raises mosntx.service.explain.ExplainError: when it cannot be asked.
        """
        return explain(self, listener, question)

    # IService

    def startService(self) -> None:
        """Bind everything. Ignored while it runs.

        :raises BindFailed: when a port cannot be had; then nothing stays open.
        :raises RuntimeError: when it still drains.
        """
        if self._shutdown is not None:
            raise RuntimeError("it still drains: wait for the Deferred of stopService")
        if self.running:
            log.warn("it runs already: this start changes nothing")
            return
        if self.state == STOPPED:
            self._wire()
        super().startService()  # type: ignore[no-untyped-call]  # Twisted
        self.state = STARTING
        self._startLog()
        for problem in self.loaded.problems:
            log.warn("{problem}", problem=problem)
        try:
            wiring = self._wiring
            wiring.discoveries.start()
            for listener in wiring.listeners:
                listener.start()
            self._ports = self._observation.listen(self._reactor)
            for each in wiring.background:
                each.start()
            holdUntilSettled(wiring.discoveries, wiring.listeners, self._context.wheel)
        except Exception:
            self._release()
            super().stopService()  # type: ignore[no-untyped-call]  # Twisted
            raise
        self.state = AFTER_START
        log.info("mosntx {version} serves, pid {pid}", version=__version__, pid=os.getpid())
        self.state = RUNNING

    def stopService(self) -> Deferred[None]:
        """Drain: accept no more, let requests finish for `gracefulTimeout` seconds, then close.

        The Deferred fires with ``None`` when nothing is open any more. Calling again hands out
        another for the same end.
        """
        if self._shutdown is not None:
            again: Deferred[None] = Deferred()
            self._alsoStopped.append(again)
            return again
        if not self.running:
            if self.state != STOPPED:
                self._release()
            return succeed(None)
        super().stopService()  # type: ignore[no-untyped-call]  # Twisted
        self.state = GRACEFUL_STOPPING
        timeout = 0.0 if self._hurried else self.gracefulTimeout
        log.info("draining, for at most {seconds:g} s", seconds=timeout)
        self._shutdown = Shutdown(self._wiring.listeners, self.clusters, self._reactor, timeout)
        stopped: Deferred[None] = Deferred()
        self._shutdown.done.addCallback(self._drained, stopped)
        return stopped

    def abort(self) -> None:
        """Wait no longer for requests: ends a drain under way at once, or the next one."""
        if self._shutdown is not None:
            self._shutdown.abort()
        else:
            self._hurried = bool(self.running)

    # logs

    def setLogLevel(self, level: str) -> None:
        """Use another level for the default log than the file's.

        :param level: MOSN's upper-case names.
        """
        self._logLevel = level

    def reopenLogs(self) -> None:
        """Open log files anew after they were moved away (SIGUSR1)."""
        for path, reason in self._context.logs.reopen():
            log.error("log {path} cannot be opened again: {reason}", path=path, reason=reason)

    def _startLog(self) -> None:
        server = self.loaded.config.server
        path = server.default_log_path or self._logFile("mosn.log")
        level = self._logLevel or server.default_log_level
        try:
            self._context.logs.startDefaultLog(path, level, console=self._console)
        except (OSError, ValueError) as error:
            log.error("no log in {path}: {error}", path=path, error=error)

    def _logFile(self, name: str) -> str:
        """A file of the log directory; standard error for configurations that come from no file."""
        return os.path.join(self._logDirectory, name) if self._logDirectory else "stderr"

    def _accessSink(self, path: str, listener: str) -> LogSink:
        """The sink of an access log.

        :raises ValueError: when it cannot be opened.
        """
        name = path or self._logFile(f"{listener}_access.log")
        if self._dry:
            name = "stderr"
        try:
            return self._context.logs.sink(name)
        except OSError as error:
            raise ValueError(f"access log {name} cannot be opened: {error.strerror}") from error

    def _drained(self, clean: bool, stopped: Deferred[None]) -> bool:
        self.state = STOPPING
        self._shutdown = None
        self._hurried = False
        log.info("stopped" if clean else "stopped with connections cut")
        closing = [maybeDeferred(port.stopListening) for port in self._ports]
        self._ports = []
        self._observation.stop()
        for each in self._wiring.background:
            each.stop()
        self._context.wheel.stop()
        self._context.logs.close()
        self.state = STOPPED
        waiting, self._alsoStopped = [stopped, *self._alsoStopped], []
        all_: Deferred[Any] = DeferredList(closing)
        all_.addCallback(_tell, waiting)
        return clean

    # wiring

    def _wire(self) -> None:
        self._ports = []
        self._alsoStopped = []
        reactor, seconds = self._reactor, self._seconds
        config = self.loaded.config
        wheel = TimerWheel(reactor, seconds)
        ids = count(1)
        names = NameCache(reactor, wheel)
        matcher = config.metrics.stats_matcher
        self._context = Context(
            clock=reactor,
            seconds=seconds,
            wallSeconds=self._wallSeconds,
            random=self._random,
            wheel=wheel,
            connector=lambda idle: Connector(reactor, wheel, ids, names=names, idleTimeout=idle),
            store=StatsStore(StatsMatcher.fromConfig(matcher) if matcher is not None else None),
            logs=Logs(reactor, self._wallSeconds, parseRoller(config.server.global_log_roller)),
            accessSink=self._accessSink,
            names=names,
            nameservers=self._nameservers or nameserversOn(reactor),
            ids=ids,
            recorder=buildRecorder(config.server.flight_recorder, self._wallSeconds),
        )
        try:
            self._wiring = Wiring(config, self.catalog, self._context, self._handlers)
            self._observation = Observation(self, self._context)
        except ConfigError as error:
            self._context.logs.close()
            found = [*self.loaded.problems, *placed(self.loaded, error.problems)]
            found.sort(key=lambda problem: (problem.file, problem.line, problem.column))
            raise ConfigError(found) from None

    def _release(self) -> None:
        """The start failed, or there was none: close what was opened before."""
        for listener in self._wiring.listeners:
            listener.stop()
        for port in self._ports:
            port.stopListening()
        self._ports = []
        self._observation.stop()
        for each in self._wiring.background:
            each.stop()
        self._context.wheel.stop()
        self._context.logs.close()
        self.state = STOPPED


def installedReactor() -> Any:
    """The global reactor; only this package sees it."""
    from twisted.internet import reactor

    return reactor


def _tell(_result: object, waiting: list[Deferred[None]]) -> None:
    for each in waiting:
        each.callback(None)


def logDirectory(path: str) -> str:
    """MOSN's place for logs.

    ``logs`` beside the directory of the configuration file; none without a file.
    """
    if not path:
        return ""
    base = os.path.dirname(os.path.dirname(os.path.abspath(path)))
    return os.path.join(base if base != "/" else "/home/admin/mosn", "logs")
