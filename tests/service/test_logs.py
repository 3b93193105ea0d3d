"""Tests of `mosntx.service.logs`."""

from __future__ import annotations

import contextlib
import io
import time
from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, Logger, LogLevel, LogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.proxy.logfile import FileTarget
from mosntx.proxy.logsink import LogSink, StreamTarget
from mosntx.proxy.syslog import LocalSyslog, TcpSyslog
from mosntx.service.logs import LEVELS, DefaultLog, LineFormat, Logs, otherEvents
from mosntx.testing.logs import MemoryTarget

WALL = time.mktime((2026, 3, 2, 15, 4, 5, 0, 0, -1)) + 0.007


def event(text: str, **more: Any) -> dict[str, Any]:
    """Return an event with a fixed time."""
    return {
        "log_time": WALL,
        "log_level": LogLevel.info,
        "log_namespace": "mosntx.net.listener",
        "log_format": text,
        **more,
    }


class LineFormatTests(SynchronousTestCase):
    """Events as lines."""

    def test_line(self) -> None:
        """Time with padded milliseconds, level, message."""
        self.assertEqual(
            LineFormat()(event("{a} b", a="x")), "2026-03-02 15:04:05,007 [INFO] x b\n"
        )

    def test_levels(self) -> None:
        """Twisted's levels have MOSN's names."""
        for level, name in (
            (LogLevel.debug, "DEBUG"),
            (LogLevel.info, "INFO"),
            (LogLevel.warn, "WARN"),
            (LogLevel.error, "ERROR"),
            (LogLevel.critical, "FATAL"),
        ):
            self.assertIn(f"[{name}] x", LineFormat()(event("x", log_level=level)))

    def test_alert(self) -> None:
        """An alert's key stands before the message."""
        found = LineFormat()(event("x", log_level=LogLevel.error, alert="mosn.config.dump"))
        self.assertTrue(found.endswith(" [ERROR] [mosn.config.dump] x\n"))

    def test_injection(self) -> None:
        """What a peer sent cannot begin a line or colour the terminal."""
        found = LineFormat()(event("bad request {line}", line="a\r\n2026 [FATAL] b\x1b[0m\u2028"))
        self.assertEqual(len(found.splitlines()), 1)
        self.assertIn("a\\x0d\\x0a2026 [FATAL] b\\x1b[0m", found)

    def test_traceback(self) -> None:
        """A failure's traceback follows, indented, and its text begins no line either."""
        seen: list[Any] = []
        log = Logger("mosntx.test", observer=seen.append)  # type: ignore[arg-type]
        try:
            raise ValueError("first\nsecond")
        except ValueError:
            log.failure("it broke")
        first, *others = LineFormat()(seen[0]).splitlines()
        self.assertTrue(first.endswith("[FATAL] it broke"))
        self.assertTrue(any("ValueError: first" in line for line in others))
        self.assertEqual([line for line in others if not line.startswith("\t")], [])

    def test_seconds(self) -> None:
        """The second that is kept from line to line is the right one."""
        lines = LineFormat()
        found = [lines(event("x", log_time=WALL + step)).split(" [")[0] for step in (0, 0.5, 1, 0)]
        self.assertEqual([text[-6:] for text in found], ["05,007", "05,507", "06,007", "05,007"])


class DefaultLogTests(SynchronousTestCase):
    """What is written."""

    def setUp(self) -> None:
        self.target = MemoryTarget()
        self.sink = LogSink(self.target, MemoryReactorClock().callLater)

    def written(self, log: DefaultLog, *events: dict[str, Any]) -> list[str]:
        for each in events:
            log(each)
        self.sink.flush()
        return [line.split("] ")[-1] for line in self.target.data.decode().splitlines()]

    def test_contract(self) -> None:
        """It is an observer."""
        verifyObject(ILogObserver, DefaultLog(self.sink, "INFO"))

    def test_level(self) -> None:
        """Events below the level are left out; the level may change."""
        log = DefaultLog(self.sink, "WARN")
        levels = [event(level.name, log_level=level) for level in LogLevel.iterconstants()]
        self.assertEqual(self.written(log, *levels), ["warn", "error", "critical"])
        self.target.writes.clear()
        log.setLevel("FATAL")
        self.assertEqual(self.written(log, *levels), ["critical"])
        self.target.writes.clear()
        log.setLevel("TRACE")
        self.assertEqual(len(self.written(log, *levels)), 5)

    def test_unknownLevel(self) -> None:
        """An unknown level is INFO, as in MOSN."""
        self.assertEqual(DefaultLog(self.sink, "verbose").level, "INFO")
        self.assertEqual(DefaultLog(self.sink, "").level, "INFO")

    def test_namespace(self) -> None:
        """Only our own events are written; other applications' look-alikes are not."""
        names = ("mosntx", "mosntx.proxy", "mosntxy", "twisted.web", "", None, "app.mosntx")
        events = [event(str(name), log_namespace=name) for name in names]
        self.assertEqual(
            self.written(DefaultLog(self.sink, "INFO"), *events), ["mosntx", "mosntx.proxy"]
        )

    def test_odd(self) -> None:
        """An event that lacks what events have does not break the log."""
        log = DefaultLog(self.sink, "INFO")
        odd = {"log_time": WALL, "log_namespace": "mosntx.x"}
        bad = event("{missing}")
        self.assertEqual(len(self.written(log, odd, bad)), 2)

    def test_others(self) -> None:
        """The observer for twistd prints warnings of others and nothing of ours."""
        stream = io.StringIO()
        with contextlib.redirect_stderr(stream):
            observer = otherEvents()
            observer(event("ours", log_level=LogLevel.error))
            observer(event("chatter", log_namespace="twisted.internet"))
            observer(event("theirs", log_namespace="twisted.web", log_level=LogLevel.warn))
        self.assertEqual(stream.getvalue(), "2026-03-02 15:04:05,007 [WARN] theirs\n")


class LogsTests(SynchronousTestCase):
    """The registry."""

    def setUp(self) -> None:
        self.publisher = LogPublisher()
        self.log = Logger("mosntx.test", observer=self.publisher)
        self.reactor = MemoryReactorClock()
        self.logs = self.make()
        self.path = str(Path(self.mktemp()) / "mosn.log")

    def make(self) -> Logs:
        logs = Logs(self.reactor, lambda: WALL, publisher=self.publisher)
        self.addCleanup(logs.close)
        return logs

    def messages(self, path: str) -> list[str]:
        return [line.split("] ")[-1] for line in Path(path).read_text().splitlines()]

    def test_targets(self) -> None:
        """Each form of a path opens what it says."""
        for path, target in (
            ("", StreamTarget),
            ("stdout", StreamTarget),
            ("/dev/stdout", StreamTarget),
            ("stderr", StreamTarget),
            ("/dev/stderr", StreamTarget),
            ("syslog", LocalSyslog),
            ("syslog+tcp://logs:601", TcpSyslog),
            (self.path, FileTarget),
        ):
            self.assertIsInstance(self.logs.sink(path).target, target)
        self.assertEqual(self.reactor.tcpClients[0][:2], ("logs", 601))

    def test_badPaths(self) -> None:
        """A path that cannot work is refused with the path in the text."""
        for path in ("syslog://", "syslog://host:port", "syslog+tls://host", "syslog://h:99999"):
            error = self.assertRaises(ValueError, self.logs.sink, path)
            self.assertIn(path, str(error))
        Path(self.path).parent.mkdir()
        self.assertRaises(OSError, self.logs.sink, str(Path(self.path).parent))

    def test_shared(self) -> None:
        """A path is opened once, whatever it is called."""
        self.assertIs(self.logs.sink(self.path), self.logs.sink(self.path))
        self.assertIs(self.logs.sink("stdout"), self.logs.sink("/dev/stdout"))
        self.assertIs(self.logs.sink(""), self.logs.sink("stderr"))
        self.assertIsNot(self.logs.sink("stdout"), self.logs.sink("stderr"))

    def test_defaultLog(self) -> None:
        """Our events go to the file from start to stop."""
        self.log.info("before")
        self.logs.startDefaultLog(self.path, "INFO", console=False)
        self.log.info("a")
        self.log.debug("b")
        self.reactor.advance(0)
        self.assertEqual(self.messages(self.path), ["a"])
        self.log.info("c")
        self.logs.stopDefaultLog()
        self.log.info("after")
        self.assertEqual(self.messages(self.path), ["a", "c"])
        self.logs.stopDefaultLog()

    def test_again(self) -> None:
        """Starting again replaces the log: nothing is doubled."""
        for _ in range(2):
            self.logs.startDefaultLog(self.path, "INFO", console=False)
        self.log.info("a")
        self.logs.close()
        self.assertEqual(self.messages(self.path), ["a"])

    def test_embedded(self) -> None:
        """In another application the console is not ours: nothing is written there."""
        for path in ("", "stdout", "/dev/stderr"):
            self.logs.startDefaultLog(path, "INFO", console=False)
            self.assertEqual(self.logs.levels(), {})
            self.log.info("a")
            self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_observers(self) -> None:
        """Observers of the application see all events, before, during and after."""
        seen: list[str] = []
        self.publisher.addObserver(lambda event: seen.append(event["log_format"]))  # type: ignore[arg-type]
        self.logs.startDefaultLog(self.path, "INFO", console=False)
        self.log.info("a")
        self.logs.close()
        self.log.info("b")
        self.assertEqual(seen, ["a", "b"])

    def test_two(self) -> None:
        """Two registries have files of their own; ending one does not touch the other."""
        other, path = self.make(), self.path + "2"
        self.logs.startDefaultLog(self.path, "INFO", console=False)
        other.startDefaultLog(path, "WARN", console=False)
        self.logs.close()
        self.log.warn("a")
        other.close()
        self.assertEqual(self.messages(self.path), [])
        self.assertEqual(self.messages(path), ["a"])

    def test_levels(self) -> None:
        """The admin API sees and changes the level by path."""
        self.assertFalse(self.logs.setLevel(self.path, "DEBUG"))
        self.logs.startDefaultLog(self.path, "INFO", console=False)
        self.assertEqual(self.logs.levels(), {self.path: "INFO"})
        self.assertTrue(self.logs.setLevel(self.path, "DEBUG"))
        self.log.debug("a")
        self.assertFalse(self.logs.setLevel(self.path, "debug"))
        self.assertFalse(self.logs.setLevel("/other", "INFO"))
        self.assertEqual(self.logs.levels(), {self.path: "DEBUG"})
        self.logs.close()
        self.assertEqual(self.messages(self.path), ["a"])

    def test_stderrLevel(self) -> None:
        """Standard error is called by the empty path."""
        self.logs.startDefaultLog("/dev/stderr", "ERROR", console=True)
        self.assertEqual(self.logs.levels(), {"": "ERROR"})
        self.assertTrue(self.logs.setLevel("", "FATAL"))

    def test_enabled(self) -> None:
        """Any log is switched off and on by path."""
        sink = self.logs.sink(self.path)
        sink.write("a\n")
        self.assertTrue(self.logs.setEnabled(self.path, False))
        sink.write("b\n")
        self.assertTrue(self.logs.setEnabled(self.path, True))
        sink.write("c\n")
        self.assertFalse(self.logs.setEnabled("/other", True))
        sink.flush()
        self.assertEqual(Path(self.path).read_text(), "a\nc\n")

    def test_reopen(self) -> None:
        """Every file is opened anew; those that fail are named and go on."""
        paths = [self.path, self.path + "2"]
        sinks = [self.logs.sink(path) for path in paths]
        for path in paths:
            Path(path).rename(path + ".old")
        Path(paths[0]).mkdir()
        failed = self.logs.reopen()
        self.assertEqual([path for path, _ in failed], [paths[0]])
        for sink in sinks:
            sink.write("a\n")
            sink.flush()
        self.assertEqual(Path(paths[0] + ".old").read_text(), "a\n")
        self.assertEqual(Path(paths[1]).read_text(), "a\n")

    def test_close(self) -> None:
        """Closing writes what waits and leaves no call behind."""
        self.logs.sink(self.path).write("a\n")
        self.logs.close()
        self.assertEqual(Path(self.path).read_text(), "a\n")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.logs.close()

    def test_stats(self) -> None:
        """Lines that were dropped or lost are counted over all paths."""
        self.logs.sink(self.path).dropped = 2
        self.logs.sink(self.path + "2").lost = 3
        found = {key: value for _, _, key, _, value in self.logs.stats().samples()}
        self.assertEqual(found, {"lines_dropped_total": 2, "lines_lost_total": 3})

    def test_levelNames(self) -> None:
        """MOSN's levels, from few lines to many."""
        self.assertEqual(LEVELS[:5], ("FATAL", "ERROR", "WARN", "INFO", "DEBUG"))
