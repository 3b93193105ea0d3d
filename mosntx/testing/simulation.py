r"""A whole service in virtual time: many hosts, good and bad, under a load that a seed decides.

::

    hosts = [SimulatedHost(f"10.0.0.{n}:80") for n in range(100)]
    simulation = Simulation(config, hosts, "front")
    simulation.at(10.0, lambda: simulation.crash("10.0.0.7:80"))
    simulation.load(seconds=60.0, perSecond=50)
    simulation.outcomes                 # Counter({200: 3004})
    simulation.close()                  # checks that nothing is left

A minute takes a second or two. The Sidecar is the real one; only the network and the clock are not.
HTTP/1 on both sides.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final

from attrs import define, field

from mosntx.testing.mesh import MemoryMesh, Peer

#: Seconds between two looks at what the Sidecar has done by itself (retries, connects).
STEP: Final = 0.005

#: Seconds that a load may take to end after its last request.
PATIENCE: Final = 120.0

_END: Final = b"\r\n\r\n"


@define(eq=False)
class SimulatedHost:
    """One host; change its attributes while the simulation runs.

    :ivar address: as in the configuration, ``ip:port``.
    :ivar latency: seconds until an answer.
    :ivar capacity: requests that it works on at a time, the others wait in a queue without an end,
        also those whose client has left; 0 = all at once.
    :ivar spread: each latency is up to this share longer or shorter.
    :ivar failing: share of requests that are answered with ``status``.
    :ivar stuck: takes requests and never answers.
    :ivar down: connects are refused; see `Simulation.crash`.
    :ivar times: when each request came; those to ``checkPath`` are counted in ``checks``.
    """

    address: str
    latency: float = 0.01
    capacity: int = 0
    spread: float = 0.2
    failing: float = 0.0
    status: int = 503
    stuck: bool = False
    down: bool = False
    times: list[float] = field(factory=list, init=False)
    checks: int = field(default=0, init=False)
    _peers: dict[Peer, None] = field(factory=dict, init=False)
    _queue: deque[Peer] = field(factory=deque, init=False)
    _busy: int = field(default=0, init=False)
    _crashes: int = field(default=0, init=False)

    @property
    def full(self) -> bool:
        """It works on as many requests as it can."""
        return 0 < self.capacity <= self._busy

    def between(self, begin: float, end: float) -> int:
        """Return how many requests came in a span of time."""
        return sum(begin <= time < end for time in self.times)


@define(eq=False)
class _Call:
    """A request on its way."""

    began: float
    peer: Peer
    got: bytes = b""


class Simulation:
    """See the module.

    :ivar mesh: the Sidecar and its clock.
    :ivar outcomes: answers by status; ``"closed"`` for a connection that ended without one.
    :ivar answers: ``(when the request began, seconds until the answer, outcome)`` of each.
    """

    checkPath = b"/health"

    def __init__(
        self,
        config: Mapping[str, Any] | str,
        hosts: Iterable[SimulatedHost],
        listener: str,
        *,
        seed: int = 1,
        request: bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        **options: Any,
    ) -> None:
        """:param options: of the Sidecar."""
        self.mesh = MemoryMesh(config, random=Random(seed), **options)
        self.hosts = {host.address: host for host in hosts}
        self.outcomes: Counter[int | str] = Counter()
        self.answers: list[tuple[float, float, int | str]] = []
        self._random = Random(seed + 1)
        self._listener = listener
        self._request = request
        self._free: list[Peer] = []
        self._calls: dict[Peer, _Call] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        seconds: float = self.mesh.reactor.seconds()
        return seconds

    # what a test does

    def at(self, seconds: float, change: Callable[[], None]) -> None:
        """Call ``change`` when the clock says so."""
        heappush(self._events, (seconds, next(self._order), change))

    def crash(self, address: str) -> None:
        """A host dies: its connections are reset and connects refused, until `recover`."""
        host = self.hosts[address]
        host.down = True
        host._crashes += 1
        host._busy = 0
        host._queue.clear()
        peers, host._peers = host._peers, {}
        for peer in peers:
            peer.reset()

    def recover(self, address: str) -> None:
        """A host is back."""
        self.hosts[address].down = False

    def load(self, seconds: float, perSecond: float) -> None:
        """Send requests at random moments, and wait until each has ended.

        :raises AssertionError: when one does not end, or gets more than one answer.
        """
        time = self.now
        end = time + seconds
        while (time := time + self._random.expovariate(perSecond)) < end:
            self.at(time, self.call)
        self.wait(seconds)
        give_up = self.now + PATIENCE
        while self._calls:
            assert self.now < give_up, f"{len(self._calls)} requests do not end"
            self.wait(STEP)

    def wait(self, seconds: float) -> None:
        """Let time pass, with everything that happens in it."""
        end = self.now + seconds
        while self.now < end:
            due = self._events[0][0] if self._events else end
            self.mesh.advance(max(0.0, min(due, self.now + STEP, end) - self.now))
            while self._events and self._events[0][0] <= self.now:
                heappop(self._events)[2]()
            self._settle()

    def close(self) -> None:
        """Hang up and stop the Sidecar.

        :raises AssertionError: when a count of what is under way is not zero, or a timer is left.
        """
        self.mesh.hangUp()
        while self.mesh.dialled:
            self.mesh.refuse()
        self.mesh.advance(1.0)
        for key in ("request_active", "connection_active"):
            assert self.mesh.value(key) == 0, (key, self.mesh.value(key))
        self._checkLimits()
        self.mesh.sidecar.stopService()
        self.mesh.advance(5.0)
        assert self.mesh.timers == 0, self.mesh.reactor.getDelayedCalls()

    def _checkLimits(self) -> None:
        for name in self.mesh.sidecar.clusters.names():
            cluster = self.mesh.sidecar.clusters.get(name)
            assert cluster is not None
            limits = cluster.limits
            counts = (limits.requests, limits.retries, limits.pending, limits.connections)
            assert counts == (0, 0, 0, 0), (name, counts)

    # clients

    def call(self) -> None:
        """Send one request now."""
        peer = self._free.pop() if self._free else self.mesh.client(self._listener)
        self._calls[peer] = _Call(self.now, peer)
        peer.send(self._request)

    def _hear(self) -> None:
        """Look at what clients have got."""
        for peer, call in list(self._calls.items()):
            if peer.transport.io.tell():
                call.got += peer.take()
                if _END in call.got:
                    self._ended(call, self._statusOf(call.got))
            if peer in self._calls and peer.closed:
                self._ended(call, "closed")

    def _statusOf(self, octets: bytes) -> int:
        head, _, body = octets.partition(_END)
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        assert len(body) == length, f"not exactly one answer: {octets!r}"
        return int(head.split(b" ")[1])

    def _ended(self, call: _Call, outcome: int | str) -> None:
        del self._calls[call.peer]
        self.outcomes[outcome] += 1
        self.answers.append((call.began, self.now - call.began, outcome))
        if not call.peer.closed:
            self._free.append(call.peer)

    # hosts

    def _settle(self) -> None:
        """Let everybody react to what the Sidecar has done."""
        while self.mesh.dialled:
            address, port = self.mesh.dialled[0]
            host = self.hosts[f"{address}:{port}"]
            if host.down:
                self.mesh.refuse()
            else:
                host._peers[self.mesh.upstream()] = None
        for host in self.hosts.values():
            for peer in list(host._peers):
                self._serve(host, peer)
        self._hear()

    def _serve(self, host: SimulatedHost, peer: Peer) -> None:
        if peer.transport.io.tell():
            for head in peer.take().split(_END)[:-1]:
                self._asked(host, peer, head)
        if peer.closed:
            del host._peers[peer]
            peer.reset()

    def _asked(self, host: SimulatedHost, peer: Peer, head: bytes) -> None:
        if head.split(b" ")[1] == self.checkPath:
            host.checks += 1
        else:
            host.times.append(self.now)
        if host.full:
            host._queue.append(peer)
        elif not host.stuck:
            self._work(host, peer)

    def _work(self, host: SimulatedHost, peer: Peer) -> None:
        host._busy += 1
        bad = self._random.random() < host.failing
        status = host.status if bad else 200
        seconds = host.latency * (1 + host.spread * (2 * self._random.random() - 1))
        life = host._crashes
        self.at(self.now + seconds, lambda: self._answer(host, peer, status, life))

    def _answer(self, host: SimulatedHost, peer: Peer, status: int, life: int) -> None:
        if life != host._crashes:
            return
        host._busy -= 1
        while host._queue and not host.full and not host.stuck:
            self._work(host, host._queue.popleft())
        if peer in host._peers and not peer.closed:
            peer.send(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
