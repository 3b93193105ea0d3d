"""Bolt: connections with one call after another on each."""

from __future__ import annotations

from typing import ClassVar

from bench.drivers import bolt
from bench.drivers.base import Load
from bench.place import BOLT
from bench.results import Goal
from bench.scenarios.base import CPU, PATIENCE, REQUESTS, LoadScenario, Stage


class Bolt(LoadScenario):
    """64 connections, one call in flight on each."""

    name = "bolt"
    summary = "Bolt v1 to Bolt v1, 64 connections, one call in flight on each"
    legs = (BOLT, BOLT)
    # The same figure twice: on two cores the load side cannot keep the relay busy, and then only
    # the CPU time says how many calls a core would carry.
    goals: ClassVar[tuple[Goal, ...]] = (
        Goal(REQUESTS.key, "tcp-relay", atLeast=2.0),
        Goal(CPU.key, "tcp-relay", atMost=1 / 2.0),
    )

    def drive(self, port: int, stage: Stage, duration: int) -> Load:
        """See `LoadScenario.drive`."""
        body = stage.folder / "bolt.body"
        body.write_bytes(stage.body)
        command = bolt.command(port, self.connections, self.streams, duration, body)
        limit = duration + PATIENCE
        return bolt.parse(
            stage.nursery.run(bolt.PROGRAM, command, stage.folder, stage.loadCore, limit)
        )


SCENARIO = Bolt
