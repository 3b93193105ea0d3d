"""What the tests of health checks begin with."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mosntx.contracts.codec import HEAD
from mosntx.contracts.stream import REFUSED
from mosntx.contracts.upstream import IHost
from mosntx.net.timers import TICK, TimerWheel
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.testing.net import FakeConnection, FakeConnector
from mosntx.upstream.health.build import Probes
from mosntx.upstream.health.probe import IProbe
from mosntx.upstream.health.session import Schedule, Session
from mosntx.upstream.health.stats import HealthCheckStats
from mosntx.upstream.hosts import AddressTable

ADDRESS = "127.0.0.1:9001"


@implementer(IProbe)
class FakeProbe:
    """Asks nobody; a test answers.

    :ivar checks: the Deferreds of all checks.
    :ivar cancelled: how many were given up.
    """

    def __init__(self) -> None:
        self.checks: list[Deferred[bool]] = []
        self.hosts: list[IHost] = []
        self.cancelled = 0
        self.closed = 0

    def check(self, host: IHost) -> Deferred[bool]:
        """See `IHealthChecker.check`."""
        answer: Deferred[bool] = Deferred(self._cancel)
        self.hosts.append(host)
        self.checks.append(answer)
        return answer

    def close(self) -> None:
        """See `IProbe.close`."""
        self.closed += 1

    def _cancel(self, _answer: Deferred[bool]) -> None:
        self.cancelled += 1


class FlaggedHost:
    """A host as `AddressTable` sees it."""

    def __init__(self, address: str = ADDRESS) -> None:
        self.address = address
        self.healthy = True

    def turn(self, healthy: bool) -> None:
        """See `mosntx.upstream.hosts.Host.turn`."""
        self.healthy = healthy


class World:
    """One session with virtual time.

    :ivar reports: ``(result, changed)`` of each check.
    """

    def __init__(self, probe: Any = None, **schedule: Any) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.addresses = AddressTable()
        host: Any = FlaggedHost()
        self.host = host
        self.addresses.attach(host)
        self.probe = FakeProbe() if probe is None else probe
        self.stats = HealthCheckStats("s")
        self.reports: list[tuple[int, bool]] = []
        self.session = Session(
            self.host,
            self.probe,
            Schedule(**{"jitter": 0.0, **schedule}),
            self.addresses,
            self.wheel,
            Random(1),
            self.stats,
            lambda _session, result, changed: self.reports.append((result, changed)),
        )

    def wait(self, seconds: float) -> None:
        """Let time pass, and the tick that timers may be late."""
        self.clock.advance(seconds + TICK)


def probes(connector: Any = None, engine: str = "auto") -> Probes:
    """Return probes that know the protocols of this package.

    :param engine: of HTTP/2.
    """
    made: dict[str, Any] = {
        "Http1": Http1Protocol(),
        "Http2": Http2Protocol(engine=engine),
        "bolt": BoltProtocol("bolt"),
        "boltv2": BoltProtocol("boltv2"),
        "tr": TrProtocol(),
    }
    return Probes(connector or FakeConnector(), made.__getitem__, made)


class Http2Server:
    """A peer that answers the first request on a connection of HTTP/2.

    :ivar events: of its codec: the request.
    """

    def __init__(self, connection: FakeConnection) -> None:
        self._codec = Http2Protocol().serverCodec()
        self._connection = connection
        self.events = self._codec.receive(connection.clear())
        self._deliver(self._codec.bytesToSend())

    def octets(
        self, head: Any, body: bytes = b"", trailers: Mapping[bytes, bytes] | None = None
    ) -> bytes:
        """Return a whole response; without trailers the body ends it."""
        codec, number = self._codec, self._number
        out = codec.responseHead(number, head, not body and trailers is None)
        if body:
            out += codec.responseData(number, body, trailers is None)
        if trailers is not None:
            out += codec.responseTrailers(number, Headers(trailers.items()))
        return out + codec.bytesToSend()

    def respond(
        self, head: Any, body: bytes = b"", trailers: Mapping[bytes, bytes] | None = None
    ) -> None:
        """Send a whole response."""
        self._deliver(self.octets(head, body, trailers))

    def begin(self, head: Any) -> None:
        """Send a head that a body follows."""
        self._deliver(self._codec.responseHead(self._number, head, False))

    def inform(self, head: Any) -> None:
        """Send an interim response."""
        self._deliver(self._codec.responseInformational(self._number, head))

    def data(self, data: bytes) -> None:
        """Send a part of the body."""
        self._deliver(self._codec.responseData(self._number, data, False))

    def reset(self) -> None:
        """Reset the request."""
        self._deliver(self._codec.responseReset(self._number, REFUSED))

    @property
    def _number(self) -> int:
        return next(event[1] for event in self.events if event[0] == HEAD)

    def _deliver(self, octets: bytes) -> None:
        self._connection.deliver(octets + self._codec.bytesToSend())
