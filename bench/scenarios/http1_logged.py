"""HTTP/1.1 with an access log and a filter: what that costs, beside the same program without."""

from __future__ import annotations

from typing import ClassVar

from bench.results import Goal
from bench.scenarios.base import REQUESTS
from bench.scenarios.http1 import Http1


class Http1Logged(Http1):
    """The load of `Http1`; for ``--peers mosntx,mosntx-logged``."""

    name = "http1-logged"
    summary = "HTTP/1.1, 64 connections; mosntx-logged: access log and a header filter"
    goals: ClassVar[tuple[Goal, ...]] = (
        Goal(REQUESTS.key, "mosntx", atLeast=0.88, candidate="mosntx-logged"),
    )


SCENARIO = Http1Logged
