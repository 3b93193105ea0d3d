"""HTTP/1.1: keep-alive connections with one request after another on each."""

from __future__ import annotations

from typing import ClassVar

from bench.drivers import wrk
from bench.drivers.base import Load
from bench.programs import findProgram
from bench.results import Goal
from bench.scenarios.base import PATIENCE, REQUESTS, LoadScenario, Stage


class Http1(LoadScenario):
    """wrk, 64 connections."""

    name = "http1"
    summary = "HTTP/1.1, 64 keep-alive connections, wrk"
    goals: ClassVar[tuple[Goal, ...]] = (
        Goal(REQUESTS.key, "nginx", atLeast=0.50),
        Goal(REQUESTS.key, "twisted-web", atLeast=10.0),
        Goal(REQUESTS.key, "aiohttp", atLeast=5.0),
    )

    def missing(self) -> str | None:
        """See `Scenario.missing`."""
        return None if findProgram(wrk.PROGRAM) else f"wrk is not installed: {wrk.INSTALL}"

    def drive(self, port: int, stage: Stage, duration: int) -> Load:
        """See `LoadScenario.drive`."""
        program = findProgram(wrk.PROGRAM) or wrk.PROGRAM
        command = wrk.command(program, f"http://127.0.0.1:{port}/", self.connections, duration)
        return wrk.parse(
            stage.nursery.run("wrk", command, stage.folder, stage.loadCore, duration + PATIENCE)
        )


SCENARIO = Http1
