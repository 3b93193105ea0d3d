"""HTTP/1.1 load while thousands of other clients are connected and silent."""

from __future__ import annotations

from bench.candidate import Candidate
from bench.drivers.idle import IdleConnections
from bench.results import Sample
from bench.scenarios.base import Stage
from bench.scenarios.http1 import Http1


class Http1IdleCrowd(Http1):
    """The load of `http1` beside 10 000 idle connections, each of which has made one request."""

    name = "http1-conn10000-idle"
    summary = "the load of http1 beside 10 000 idle keep-alive connections"
    goals = ()
    defaultIdle = 10_000

    def measure(self, candidate: Candidate, stage: Stage, turn: int) -> Sample:
        """See `Scenario.measure`; a broken idle connection is an error of the round."""
        with IdleConnections(candidate.port, stage.body) as crowd:
            crowd.open(self.idle)
            sample = super().measure(candidate, stage, turn)
            crowd.countBroken()
            errors = {**sample.errors, **{f"idle: {kind}": n for kind, n in crowd.errors.items()}}
        return Sample(turn, sample.values, errors)


SCENARIO = Http1IdleCrowd
