"""Bolt: few connections, many calls in flight on each."""

from __future__ import annotations

from typing import ClassVar

from bench.results import Goal
from bench.scenarios.base import CPU, REQUESTS
from bench.scenarios.bolt import Bolt


class Bolt8x16(Bolt):
    """8 connections with 16 calls in flight each."""

    name = "bolt-8x16"
    summary = "Bolt v1 to Bolt v1, 8 connections x 16 calls in flight"
    goals: ClassVar[tuple[Goal, ...]] = (
        Goal(REQUESTS.key, "tcp-relay", atLeast=0.45),
        Goal(CPU.key, "tcp-relay", atMost=1 / 0.45),
    )
    defaultConnections = 8
    defaultStreams = 16


SCENARIO = Bolt8x16
