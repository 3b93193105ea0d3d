"""What an idle Bolt connection costs in memory."""

from __future__ import annotations

from bench.drivers.bolt_idle import BoltIdleConnections
from bench.drivers.idle import IdleConnections
from bench.place import BOLT
from bench.results import Goal
from bench.scenarios.base import Stage
from bench.scenarios.idle import PER_CONNECTION, Idle


class BoltIdle(Idle):
    """10 000 connections; each makes one call and stays."""

    name = "bolt-idle"
    summary = "memory per idle Bolt connection that has made one call"
    legs = (BOLT, BOLT)
    goals = (Goal(PER_CONNECTION.key, atMost=8 * 1024),)

    def crowd(self, port: int, stage: Stage) -> IdleConnections:
        """See `Idle.crowd`."""
        return BoltIdleConnections(port, stage.body)


SCENARIO = BoltIdle
