"""What an idle HTTP/2 connection costs in memory."""

from __future__ import annotations

from bench.drivers.http2_idle import Http2IdleConnections
from bench.drivers.idle import IdleConnections
from bench.place import H2C
from bench.scenarios.base import Stage
from bench.scenarios.idle import Idle


class Http2Idle(Idle):
    """10 000 connections; each makes one request and stays."""

    name = "http2-idle"
    summary = "memory per idle HTTP/2 connection that has made one request"
    legs = (H2C, H2C)
    goals = ()

    def crowd(self, port: int, stage: Stage) -> IdleConnections:
        """See `Idle.crowd`."""
        return Http2IdleConnections(port, stage.body)


SCENARIO = Http2Idle
