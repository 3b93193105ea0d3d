"""What a request costs in a window of time, while the load goes on before and after it.

So the connects of ten thousand clients, and the end of the load generator, are in no figure.
"""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import attrs

from bench.check import verify
from bench.curves.daemon import Counts, Daemon
from bench.curves.points import Point, hostAddresses
from bench.drivers import bolt, h2load, wrk
from bench.drivers.idle import IdleConnections
from bench.place import BOLT, HTTP1
from bench.process import Child, Nursery, Ports, ProcessError
from bench.programs import findProgram
from bench.upstream import Upstream, makeBody, startUpstream

#: Seconds of a load generator: more than anybody waits for; it is ended.
ENDLESS = 600
#: Seconds that clients have to connect, and of one look meanwhile.
CONNECT, LOOK = 60.0, 0.1
#: Requests per host before the window: by then each has its connections, also those of a balancer
#: that chooses at random.
ROUNDS_OF_HOSTS = 10
#: Seconds of load before the window begins.
SETTLE = 0.5
#: Hosts that the upstream of points with several hosts listens as.
MOST_HOSTS = 1000


@attrs.frozen
class Figures:
    """What came out of a window.

    :param seconds: of the window.
    :param each: what each daemon did in it.
    """

    seconds: float
    each: Sequence[Counts]

    @property
    def total(self) -> Counts:
        """What all daemons did together."""
        return functools.reduce(operator.add, self.each)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.total.requests / self.seconds

    @property
    def cost(self) -> float:
        """Seconds of CPU per request."""
        return self.total.cpu / self.total.requests

    def check(self, what: object) -> None:
        """See that requests were answered rightly.

        :raises ProcessError: when there were none, or more than those under way were not.
        """
        total = self.total
        # The statistics are read while requests are between the two counters.
        slack = total.connections
        if total.requests <= 0 or abs(total.requests - total.good) > slack:
            raise ProcessError(f"{what}: {total.good} of {total.requests} requests went well")


def loadCommand(point: Point, port: int, body: Path) -> list[str]:
    """Return the command line of the load generator.

    :param body: the file with the content of calls.
    """
    url = f"http://127.0.0.1:{port}{point.path}"
    if point.protocol == BOLT:
        return bolt.command(port, point.connections, 1, ENDLESS, body)
    if point.protocol == HTTP1:
        program = findProgram(wrk.PROGRAM) or wrk.PROGRAM
        return wrk.command(program, url, point.connections, ENDLESS)
    program = findProgram(h2load.PROGRAM) or h2load.PROGRAM
    return h2load.command(program, url, point.connections, 1, ENDLESS, False, "/dev/null")


class Measuring:
    """Measures points.

    :param cores: of each daemon of a point; None for any.
    :param loadCore: of load generators and upstreams; None for any.
    :param window: seconds of a window.
    :param clock: returns seconds; measures windows.
    """

    def __init__(
        self,
        nursery: Nursery,
        ports: Ports,
        folder: Path,
        *,
        cores: Sequence[int | None],
        loadCore: int | None,
        window: float,
        clock: Callable[[], float],
    ) -> None:
        self._nursery = nursery
        self._ports = ports
        self._folder = folder
        self._cores = cores
        self._loadCore = loadCore
        self._window = window
        self._clock = clock
        self._pause = threading.Event().wait
        self._upstreams: dict[tuple[int, bool], Upstream] = {}

    def measure(self, point: Point) -> Figures:
        """Start what is needed, put the load on, take the figures, end it.

        :raises ProcessError: when something does not start, or requests fail.
        :raises AnswerError: when the daemon answers wrongly.
        """
        upstream = self._upstream(point)
        port = self._ports.take()
        with ExitStack() as stack:
            daemons = []
            for number in range(point.processes):
                daemon = self._start(point, port, upstream, self._cores[number])
                stack.callback(self._nursery.end, daemon.child)
                daemons.append(daemon)
            verify(point.protocol, port, upstream.body)
            crowd = stack.enter_context(IdleConnections(port, upstream.body))
            crowd.open(point.silent)
            if crowd.errors:
                raise ProcessError(f"{point}: silent clients failed: {dict(crowd.errors)}")
            body = self._folder / f"body-{point.body}"
            body.write_bytes(upstream.body)
            command = loadCommand(point, port, body)
            load = self._nursery.start("load", command, self._folder, self._loadCore)
            stack.callback(self._nursery.end, load)
            self._awaitLoad(point, daemons, load)
            figures = self._look(daemons)
            if load.ended() is not None:
                raise load.failure("ended too early")
        figures.check(point)
        return figures

    def _start(self, point: Point, port: int, upstream: Upstream, core: int | None) -> Daemon:
        target = upstream.ports[point.protocol]
        return Daemon(self._nursery, self._ports, point, port, target, self._folder, core)

    def _upstream(self, point: Point) -> Upstream:
        """Return the upstream of a point, started when it is the first one that needs it."""
        key = point.body, point.hosts > 1
        if key not in self._upstreams:
            folder = self._folder / f"upstream-{len(self._upstreams)}"
            folder.mkdir()
            self._upstreams[key] = startUpstream(
                self._nursery,
                "nginx",
                makeBody(point.body),
                folder,
                self._loadCore,
                self._ports,
                hostAddresses(MOST_HOSTS if point.hosts > 1 else 1),
            )
        return self._upstreams[key]

    def _awaitLoad(self, point: Point, daemons: Sequence[Daemon], load: Child) -> None:
        """Wait until clients and hosts are connected, and answers have come for a while."""
        wanted = point.connections + point.silent
        for _ in range(int(CONNECT / LOOK)):
            if load.ended() is not None:
                raise load.failure("ended too early")
            now = [daemon.counts() for daemon in daemons]
            served = sum(each.requests for each in now)
            connected = sum(each.connections for each in now)
            if connected >= wanted and served >= ROUNDS_OF_HOSTS * point.hosts:
                self._pause(SETTLE)
                return
            self._pause(LOOK)
        raise load.failure(f"has not opened {wanted} connections in {CONNECT:.0f} s")

    def _look(self, daemons: Sequence[Daemon]) -> Figures:
        """Let the window pass."""
        began = self._clock()
        before = [daemon.counts() for daemon in daemons]
        self._pause(self._window)
        after = [daemon.counts() for daemon in daemons]
        ended = self._clock()
        each = [late - early for late, early in zip(after, before, strict=True)]
        return Figures(ended - began, each)


def medianOf(figures: Sequence[Figures]) -> Figures:
    """Return the figures of the round with the middle cost per request."""
    return sorted(figures, key=operator.attrgetter("cost"))[len(figures) // 2]
