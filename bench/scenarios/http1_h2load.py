"""HTTP/1.1 driven by h2load: a second opinion on wrk's figures, from a log of every request."""

from __future__ import annotations

from bench.drivers import h2load
from bench.drivers.base import Load
from bench.place import HTTP1
from bench.programs import findProgram
from bench.scenarios.base import PATIENCE, LoadScenario, Stage


class H2loadScenario(LoadScenario):
    """Anything h2load drives; the protocol is that of the first leg."""

    def missing(self) -> str | None:
        """See `Scenario.missing`."""
        if findProgram(h2load.PROGRAM):
            return None
        return f"h2load is not installed: {h2load.INSTALL}"

    def drive(self, port: int, stage: Stage, duration: int) -> Load:
        """See `LoadScenario.drive`."""
        log = stage.folder / "h2load.requests"
        log.unlink(missing_ok=True)
        command = h2load.command(
            findProgram(h2load.PROGRAM) or h2load.PROGRAM,
            f"http://127.0.0.1:{port}/",
            self.connections,
            self.streams,
            duration,
            self.legs[0] == HTTP1,
            str(log),
        )
        limit = duration + PATIENCE
        report = stage.nursery.run("h2load", command, stage.folder, stage.loadCore, limit)
        return h2load.parse(report, log.read_text() if log.exists() else "")


class Http1H2load(H2loadScenario):
    """h2load, 64 connections, one request in flight on each."""

    name = "http1-h2load"
    summary = "HTTP/1.1, 64 keep-alive connections, h2load"


SCENARIO = Http1H2load
