"""Tests of `mosntx.service.sidecar`: the default log and access logs."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel

from mosntx.config.problems import ConfigError
from mosntx.service import Sidecar
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import ANSWER, TEXT, ServiceCase, config, inFlight


def openFiles() -> set[str]:
    """Return what this process has open."""
    found = set()
    for name in os.listdir("/dev/fd"):
        try:
            found.add(os.readlink(f"/dev/fd/{name}"))
        except OSError:
            continue
    return found


class DefaultLogTests(ServiceCase):
    """The log of the Sidecar itself."""

    def start(self, text, **options):
        made = Sidecar.fromFile(self.file(text), reactor=MemoryReactorClock(), **options)
        made.startService()
        self.addCleanup(made.stopService)
        return made

    def withLog(self, path):
        return TEXT.replace("graceful_timeout: 10s", f"default_log_path: {path}")

    def test_path(self):
        """`default_log_path` is where it goes, with `default_log_level`."""
        path = self.folder() / "deep" / "x.log"
        text = self.withLog(f"{path}\n    default_log_level: WARN")
        made = self.start(text.replace("bind_port: true", "bind_port: true\n        wrong: 1"))
        self.successResultOf(made.stopService())
        lines = path.read_text().splitlines()
        self.assertEqual(len(lines), 1)
        self.assertIn("[WARN] ", lines[0])

    def test_level(self):
        """`setLogLevel` counts instead of the file's."""
        path = self.folder() / "x.log"
        made = Sidecar.fromConfig(self.withLog(path), reactor=MemoryReactorClock())
        made.setLogLevel("FATAL")
        made.startService()
        self.successResultOf(made.stopService())
        self.assertEqual(path.read_text(), "")

    def test_unwritable(self):
        """A default log that cannot be opened is an error in the log; requests are served."""
        self.start(self.withLog(self.folder()))
        self.assertTrue(self.lines(LogLevel.error)[0].startswith("no log in "), self.lines())

    def test_notOurs(self):
        """Embedded, nothing is written to the application's standard output."""
        made = Sidecar.fromConfig(self.withLog("stdout"), reactor=MemoryReactorClock())
        made.startService()
        self.assertEqual(made.state, 6)
        self.assertEqual(made._context.logs.levels(), {})
        self.successResultOf(made.stopService())

    def test_reopen(self):
        """`reopenLogs` after a rotation writes to a new file."""
        path = self.folder() / "x.log"
        made = Sidecar.fromConfig(self.withLog(path), reactor=MemoryReactorClock())
        made.startService()
        made._reactor.advance(1)
        path.rename(f"{path}.1")
        made.reopenLogs()
        self.successResultOf(made.stopService())
        self.assertIn("serves", Path(f"{path}.1").read_text())
        self.assertIn("draining", path.read_text())

    def test_reopenFails(self):
        """A log that cannot be opened again is an error in the log, and the old file stays."""
        path = self.folder() / "x.log"
        made = Sidecar.fromConfig(self.withLog(path), reactor=MemoryReactorClock())
        made.startService()
        aside = path.rename(f"{path}.1")
        path.mkdir()
        made.reopenLogs()
        self.assertIn("cannot be opened again", self.lines(LogLevel.error)[0])
        self.successResultOf(made.stopService())
        self.assertIn("stopped", aside.read_text())


class AccessLogTests(ServiceCase):
    """Access logs by configuration."""

    def request(self, mesh):
        _client, upstream = inFlight(mesh)
        upstream.send(ANSWER)
        mesh.hangUp()
        mesh.advance(1)
        mesh.sidecar.stopService()
        mesh.advance(12)

    def test_file(self):
        """One line for a request, in the configured format."""
        path = self.folder() / "logs" / "a.log"
        log = {"log_path": str(path), "log_format": "code=%response_code%"}
        self.request(MemoryMesh(config({"access_logs": [log]})))
        self.assertEqual(path.read_text(), "code=200\n")

    def test_several(self):
        """A listener may have several, and two listeners may share a path."""
        folder = self.folder()
        logs = [
            {"log_path": str(folder / name), "log_format": f"{name} %response_code%"}
            for name in ("a", "b", "a")
        ]
        self.request(MemoryMesh(config({"access_logs": logs})))
        self.assertEqual((folder / "a").read_text(), "a 200\na 200\n")
        self.assertEqual((folder / "b").read_text(), "b 200\n")

    def test_defaultPath(self):
        """Without a path it is named after the listener, beside the other logs."""
        text = TEXT.replace("bind_port: true", "bind_port: true\n        access_logs: [{}]")
        path = self.file(text)
        made = Sidecar.fromFile(path, reactor=MemoryReactorClock())
        made.startService()
        self.successResultOf(made.stopService())
        logs = Path(path).parent.parent / "logs"
        self.assertEqual(sorted(os.listdir(logs)), ["in_access.log", "mosn.log"])

    def test_unwritable(self):
        """A path that cannot be written is a clear error at the place of the log."""
        folder = self.folder()
        text = TEXT.replace(
            "bind_port: true",
            f"bind_port: true\n        access_logs:\n          - log_path: {folder}",
        )
        error = self.assertRaises(ConfigError, MemoryMesh, text)
        (problem,) = error.problems
        self.assertEqual(
            (problem.line, problem.path), (8, "servers[0].listeners[0].access_logs[0]")
        )
        self.assertEqual(problem.message, f"access log {folder} cannot be opened: Is a directory")

    def test_severalUnwritable(self):
        """All of them are named at once, and no file stays open."""
        folder, good = self.folder(), self.folder() / "good.log"
        paths = [good, folder, "syslog+smoke://x"]
        made = config({"access_logs": [{"log_path": str(path)} for path in paths]})
        error = self.assertRaises(ConfigError, MemoryMesh, made)
        self.assertEqual([problem.path[-2] for problem in error.problems], ["1", "2"])
        self.assertNotIn(str(good), openFiles())

    def test_closed(self):
        """A Sidecar that has ended, or that was given up before its start, has no file open."""
        path = self.folder() / "a.log"
        made = Sidecar.fromConfig(
            config({"access_logs": [{"log_path": str(path)}]}), reactor=MemoryReactorClock()
        )
        self.assertIn(str(path), openFiles())
        made.stopService()
        self.assertNotIn(str(path), openFiles())
        made.startService()
        self.assertIn(str(path), openFiles())
        self.successResultOf(made.stopService())
        self.assertNotIn(str(path), openFiles())
