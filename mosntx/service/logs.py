"""The logs of one Sidecar: every output path once, and the default log in MOSN's line format.

Code logs through ``twisted.logger``. `DefaultLog` observes those events and writes them to
``default_log_path``: those of the ``mosntx`` namespaces only, and nobody else's observers are
touched.

* When the console is not ours (embedded in another application, and under ``twistd``, which has
  observers of its own), only a path that is *not* standard output or error is written. Events for
  the console are left to the application's observers, which print them in their format.
* When it is ours (``mosntx run``) events are written there in MOSN's format. `otherEvents` then
  prints what is not of ``mosntx``. Whoever wants the same under twistd gives `otherEvents` as its
  ``logger`` option and says that the console is ours.

So no line is doubled, whoever observes.

Two Sidecars in one process have two registries; each default log has the lines of both.

Source: spec/admin-observability.md 6 (MOSN pkg/log).
"""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    LogPublisher,
    formatEvent,
    globalLogPublisher,
)
from zope.interface import implementer

from mosntx.config.roller import LogRoller
from mosntx.proxy.logfile import FileTarget
from mosntx.proxy.logsink import ILogTarget, LogSink, StreamTarget
from mosntx.proxy.syslog import DEFAULT_PORT, Framing, LocalSyslog, TcpSyslog, UdpSyslog
from mosntx.stats.computed import ComputedStats

#: MOSN's levels, from few lines to many.
LEVELS: Final = ("FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "RAW")
DEFAULT_LEVEL: Final = "INFO"
_LEVEL_NAMES: Final = {
    LogLevel.critical: "FATAL",
    LogLevel.error: "ERROR",
    LogLevel.warn: "WARN",
    LogLevel.info: "INFO",
    LogLevel.debug: "DEBUG",
}
#: Where our own loggers live.
NAMESPACE: Final = "mosntx"

STDOUT: Final = "stdout"
STDERR: Final = "stderr"
_STREAMS: Final = {
    "": STDERR,
    "stderr": STDERR,
    "/dev/stderr": STDERR,
    "stdout": STDOUT,
    "/dev/stdout": STDOUT,
}
_DESCRIPTORS: Final = {STDOUT: 1, STDERR: 2}

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def levelNumber(name: str) -> int:
    """Return the place of a level in `LEVELS`; an unknown one counts as INFO, as in MOSN."""
    return LEVELS.index(name if name in LEVELS else DEFAULT_LEVEL)


def isConsole(path: str) -> bool:
    """Say whether a log path means standard output or standard error."""
    return path in _STREAMS


def _oneLine(text: str) -> str:
    """Return text without control characters, which could forge lines or colours."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


class LineFormat:
    """Events as lines: ``2006-01-02 15:04:05,123 [INFO] message``, local time.

    An event with a key ``alert`` prints it in brackets before the message (for monitoring). The
    traceback of a failure follows on lines that begin with a tab.
    """

    def __init__(self) -> None:
        self._second = -1
        self._stamp = ""

    def __call__(self, event: LogEvent) -> str:
        """Return the line or lines of an event, with their end."""
        milliseconds = int(event["log_time"] * 1000)
        second, rest = divmod(milliseconds, 1000)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        level = _LEVEL_NAMES.get(event.get("log_level", LogLevel.info), "INFO")
        alert = f"[{_oneLine(str(event['alert']))}] " if "alert" in event else ""
        text = _oneLine(formatEvent(event))
        lines = f"{self._stamp},{rest:03d} [{level}] {alert}{text}\n"
        failure = event.get("log_failure")
        if failure is not None:
            for line in failure.getTraceback().splitlines():
                lines += f"\t{_oneLine(line)}\n"
        return lines


@implementer(ILogObserver)
class DefaultLog:
    """Writes events to a sink.

    :param level: one of `LEVELS`; may be assigned at any time through `setLevel`.
    :param ours: observe only the ``mosntx`` namespaces (true) or only the others (false).
    """

    def __init__(self, sink: LogSink, level: str, *, ours: bool = True) -> None:
        self.sink = sink
        self._format = LineFormat()
        self._ours = ours
        self.setLevel(level)

    def setLevel(self, level: str) -> None:
        """Write only what is at most as verbose as ``level`` from now on."""
        self.level = LEVELS[levelNumber(level)]
        self._limit = levelNumber(level)

    def __call__(self, event: LogEvent) -> None:
        """See `ILogObserver`."""
        namespace = str(event.get("log_namespace") or "")
        ours = namespace == NAMESPACE or namespace.startswith(f"{NAMESPACE}.")
        level = _LEVEL_NAMES.get(event.get("log_level", LogLevel.info), "INFO")
        if ours is self._ours and LEVELS.index(level) <= self._limit:
            self.sink.write(self._format(event))


class _Console:
    """As `LogSink.write`, at once, for what happens while no reactor runs yet."""

    enabled = True

    def write(self, line: str) -> None:
        """Write a line to standard error."""
        sys.stderr.write(line)


def otherEvents(level: str = "WARN") -> ILogObserver:
    """Return an observer for twistd's ``logger`` option: what is not of ``mosntx``, to stderr.

    :param level: of Twisted's own messages below WARN nobody needs any.
    """
    console: Any = _Console()
    return DefaultLog(console, level, ours=False)


def _hostAndPort(path: str) -> tuple[str, int]:
    """Return host and port of ``syslog://host:port``.

    :raises ValueError: when there is no host or the port is none.
    """
    try:
        parts = urlsplit(path)
        port = parts.port or DEFAULT_PORT
    except ValueError as reason:
        raise ValueError(f"log path {path!r}: {reason}") from reason
    if not parts.hostname:
        raise ValueError(f"log path {path!r} names no host")
    return parts.hostname, port


class Logs:
    """Every output path of one Sidecar, once.

    :param reactor: an ``IReactorTime``, ``IReactorThreads``; for syslog also UDP, TCP and names.
    :param wallSeconds: seconds since the epoch.
    :param roller: rotation of all files.
    :param publisher: where events come from.
    """

    def __init__(
        self,
        reactor: Any,
        wallSeconds: Callable[[], float],
        roller: LogRoller | None = None,
        publisher: LogPublisher = globalLogPublisher,
    ) -> None:
        self._reactor = reactor
        self._wallSeconds = wallSeconds
        self._roller = roller
        self._publisher = publisher
        self._sinks: dict[str, LogSink] = {}
        self._default: DefaultLog | None = None
        self._defaultPath = ""

    def sink(self, path: str) -> LogSink:
        """Return the sink of a log path, opened at first use.

        :param path: ``""``, ``stderr``, ``stdout``, ``/dev/std…``, ``syslog``,
            ``syslog://host:port`` (UDP), ``syslog+udp://``, ``syslog+tcp://``, else a file.
        :raises OSError: when the file cannot be opened.
        :raises ValueError: when it is no log path.
        """
        name = _STREAMS.get(path, path)
        sink = self._sinks.get(name)
        if sink is None:
            sink = LogSink(self._target(name), self._reactor.callLater)
            self._sinks[name] = sink
        return sink

    def startDefaultLog(self, path: str, level: str, *, console: bool) -> None:
        """Write our events to ``path`` from now on; a default log started before ends.

        :param console: standard output and error are ours. When they are not and ``path`` is one
            of them, nothing is written: the application's own observers print our events.
        :raises OSError: as `sink`.
        :raises ValueError: as `sink`.
        """
        self.stopDefaultLog()
        if console or not isConsole(path):
            self._default = DefaultLog(self.sink(path), level)
            self._defaultPath = _STREAMS.get(path, path)
            self._publisher.addObserver(self._default)

    def stopDefaultLog(self) -> None:
        """Observe no events any more."""
        if self._default is not None:
            self._publisher.removeObserver(self._default)
            self._default.sink.flush()
            self._default = None

    def reopen(self) -> list[tuple[str, OSError]]:
        """Open every file anew (SIGUSR1, for logrotate).

        :returns: the paths that failed; their old files stay in use.
        """
        failed = []
        for path, sink in self._sinks.items():
            try:
                sink.reopen()
            except OSError as reason:
                failed.append((path, reason))
        return failed

    def close(self) -> None:
        """Write what is left and end; files are closed."""
        self.stopDefaultLog()
        for sink in self._sinks.values():
            sink.close()
        self._sinks.clear()

    def levels(self) -> Mapping[str, str]:
        """Return the level of each log that has one: path -> level, ``""`` for stderr."""
        if self._default is None:
            return {}
        return {"" if self._defaultPath == STDERR else self._defaultPath: self._default.level}

    def setLevel(self, path: str, level: str) -> bool:
        """Change the level of a log; false when the path or the level is not known."""
        if self._default is None or _STREAMS.get(path, path) != self._defaultPath:
            return False
        if level not in LEVELS:
            return False
        self._default.setLevel(level)
        return True

    def setEnabled(self, path: str, enabled: bool) -> bool:
        """Take lines of a path or not; false when the path is not known."""
        sink = self._sinks.get(_STREAMS.get(path, path))
        if sink is None:
            return False
        sink.flush()
        sink.enabled = enabled
        return True

    def stats(self) -> ComputedStats:
        """Return a scope of type ``log``: lines dropped and lost, over all paths."""
        return ComputedStats("log", (("sidecar", "global"),), self._counts)

    def _counts(self) -> Iterator[tuple[str, str, float]]:
        """Return the counters of the sinks, added up."""
        sinks = self._sinks.values()
        yield "lines_dropped_total", "counter", sum(sink.dropped for sink in sinks)
        yield "lines_lost_total", "counter", sum(sink.lost for sink in sinks)

    def _inThread(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Run the work after a rotation beside the event loop."""
        self._reactor.callInThread(function, *arguments)

    def _target(self, path: str) -> ILogTarget:
        """Open what a path means."""
        if path in _DESCRIPTORS:
            return StreamTarget(_DESCRIPTORS[path])
        if path == "syslog":
            return LocalSyslog(Framing(self._wallSeconds))
        scheme, mark, _ = path.partition("://")
        if not mark or not scheme.startswith("syslog"):
            return FileTarget(path, self._wallSeconds, self._inThread, self._roller)
        framing = Framing(self._wallSeconds, socket.gethostname())
        host, port = _hostAndPort(path)
        if scheme in ("syslog", "syslog+udp"):
            return UdpSyslog(self._reactor, framing, host, port)
        if scheme == "syslog+tcp":
            return TcpSyslog(self._reactor, framing, host, port)
        raise ValueError(f"log path {path!r}: use syslog://, syslog+udp:// or syslog+tcp://")
