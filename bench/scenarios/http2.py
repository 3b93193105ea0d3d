"""HTTP/2 without TLS on both sides: few connections, many streams."""

from __future__ import annotations

from typing import ClassVar

from bench.place import H2C
from bench.results import Goal
from bench.scenarios.base import CPU, REQUESTS
from bench.scenarios.http1_h2load import H2loadScenario


class Http2(H2loadScenario):
    """h2load, 8 connections with 16 streams each."""

    name = "http2"
    summary = "h2c to h2c, 8 connections x 16 streams, h2load"
    legs = (H2C, H2C)
    defaultConnections = 8
    defaultStreams = 16
    goals: ClassVar[tuple[Goal, ...]] = (
        Goal(REQUESTS.key, "mosntx-h2", atLeast=4.0),
        Goal(CPU.key, atMost=250e-6, candidate="mosntx-h2"),
    )


SCENARIO = Http2
