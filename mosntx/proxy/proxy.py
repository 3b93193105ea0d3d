"""The ``proxy`` network filter: what all requests of one listener share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import define, field
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import FRAMED, PING_PONG, IProtocol
from mosntx.contracts.message import IRequestHead
from mosntx.contracts.net import (
    CONTINUE,
    STOP,
    IBytesReceiver,
    IConnection,
    INetworkFilter,
    INetworkFilterFactory,
)
from mosntx.contracts.route import IRoute, IRouter
from mosntx.contracts.stream import (
    IClientStreams,
    IExchangeFactory,
    IHeartbeatAnswer,
    IRequestSink,
    IResponseSink,
    IServerStreams,
)
from mosntx.contracts.upstream import IClusters
from mosntx.net.detect import DETECT_TIMEOUT, Detection
from mosntx.net.filters import NetworkFilter
from mosntx.net.timers import TimerWheel
from mosntx.proxy.accesslog import AccessLog
from mosntx.proxy.chain import FilterChain
from mosntx.proxy.convert.base import Conversions
from mosntx.proxy.events import StreamEventHandlers
from mosntx.proxy.exchange import Exchange
from mosntx.proxy.forwarding import Forwarding
from mosntx.proxy.push import relayPush
from mosntx.proxy.recorder import FlightRecorder
from mosntx.stats.structs import DownstreamStats
from mosntx.stream.framed.server import FramedServer
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive
from mosntx.stream.multiplex.server import ServerConnection
from mosntx.stream.sequential.server import SequentialServer

log = Logger()

#: Seconds without any movement of a body after which an exchange is given up (Envoy: stream idle
#: timeout 5 min).
STREAM_IDLE_TIMEOUT = 300.0


@implementer(IExchangeFactory, INetworkFilterFactory)
@define(eq=False)
class Proxy:
    """Made once per filter chain.

    Attributes may be replaced at run time; exchanges under way keep what they have taken.

    :ivar name: of the listener.
    :ivar type: ``ingress``, ``egress`` or nothing.
    :ivar protocols: in the order of detection; exactly one means that octets are not looked at
        first (MOSN).
    :ivar timeouts: ``(route, head) -> (seconds for the whole, seconds for one attempt)``, 0.0 =
        none.
    :ivar heartbeats: decides on answers to heartbeats; ``None`` = all is well.
    :ivar goAway: tell clients of protocols of frames when draining begins.
    :ivar upstreamProtocol: what upstreams are spoken to when their route says nothing; ``""`` = the
        client's protocol.
    :ivar conversions: how requests get to upstreams of another protocol.
    :ivar turn: writes of framed streams; shared with the pools, so that a read of one side is one
        write on the other.
    :ivar keepalive: makes what asks a client with framed streams whether it lives.
    :ivar random: chance for pauses before repetitions, from 0.0 to 1.0.
    :ivar recorder: keeps requests that failed.
    :ivar reasonHeader: say why in a header field of local replies.
    :ivar newExchange: see `IExchangeFactory.newExchange`.
    :ivar fallback: pass connections of unknown protocols to the next network filter.
    """

    name: str
    protocols: Sequence[IProtocol]
    router: IRouter
    clusters: IClusters
    stats: DownstreamStats
    wheel: TimerWheel
    timeouts: Callable[[IRoute, IRequestHead], tuple[float, float]]
    type: str = ""
    detect: bool = False
    chain: FilterChain = field(factory=FilterChain)
    handlers: StreamEventHandlers = field(factory=StreamEventHandlers)
    accessLogs: Sequence[AccessLog] = ()
    forwarding: Forwarding | None = None
    idleTimeout: float = STREAM_IDLE_TIMEOUT
    detectTimeout: float = DETECT_TIMEOUT
    fallback: bool = False
    heartbeats: IHeartbeatAnswer | None = None
    upstreamProtocol: str = ""
    conversions: Conversions = field(factory=dict)
    goAway: bool = False
    turn: WriteTurn = field(factory=WriteTurn)
    keepalive: Callable[[], Keepalive] | None = None
    recorder: FlightRecorder | None = None
    reasonHeader: bool = False
    random: Callable[[], float] = lambda: 1.0
    seconds: Callable[[], float] = field(init=False)
    newExchange: Callable[[IServerStreams, int], IRequestSink] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.seconds = self.wheel.seconds
        # Rather than methods: each request calls both.
        self.newExchange = partial(Exchange, self)

    def relayPush(
        self, exchange: Any, up: IClientStreams, promised: int, head: IRequestHead
    ) -> IResponseSink | None:
        """Hand on what an upstream promises; see `mosntx.proxy.push`."""
        return relayPush(exchange, up, promised, head)

    def protocolError(self, connection: IConnection, error: Exception) -> None:
        """See `IExchangeFactory.protocolError`."""
        self.stats.protocol_error_total += 1
        log.info(
            "{listener}: connection {id} from {peer} is closed: {error}",
            listener=self.name,
            id=connection.id,
            peer=connection.peer,
            error=error,
        )

    def createFilter(self, connection: IConnection) -> INetworkFilter:
        """See `INetworkFilterFactory.createFilter`."""
        return ProxyFilter(self, connection)

    def receiver(self, connection: IConnection, protocol: IProtocol) -> IBytesReceiver:
        """Return who serves a connection whose protocol is known."""
        if protocol.poolMode == PING_PONG:
            return SequentialServer(connection, protocol, self, self.wheel)
        if protocol.poolMode == FRAMED:
            keepalive = None if self.keepalive is None else self.keepalive()
            return FramedServer(connection, protocol, self, self.wheel, self.turn, keepalive)
        return ServerConnection(
            connection, protocol, self, self.wheel, self.heartbeats, self.goAway
        )


class ProxyFilter(NetworkFilter):
    """The last filter of a connection's chain.

    Finds the protocol and hands the connection over to its streams.
    """

    __slots__ = ("_connection", "_detection", "_fed", "_feeding", "_fellBack", "_proxy")

    def __init__(self, proxy: Proxy, connection: IConnection) -> None:
        self._proxy = proxy
        self._connection = connection
        self._detection: Detection | None = None
        self._fed = 0
        self._feeding = False
        self._fellBack = False

    def newConnection(self) -> int:
        """Count, and serve at once when there is only one protocol."""
        stats = self._proxy.stats
        stats.connection_total += 1
        stats.connection_active += 1
        if self._proxy.detect:
            self._detection = Detection(
                self._proxy.protocols, self._proxy.wheel, self._proxy.detectTimeout, self._decided
            )
            return CONTINUE
        self._serve(self._proxy.protocols[0], b"")
        return STOP

    def bytesReceived(self, buffer: bytearray) -> int:
        """Look at the first octets."""
        detection = self._detection
        if detection is None or detection.done:
            return CONTINUE if self._fellBack else STOP
        news = bytes(buffer[self._fed :])
        self._fed = len(buffer)
        self._feeding = True
        detection.feed(news)
        self._feeding = False
        return CONTINUE if self._fellBack else STOP

    def connectionClosed(self, event: int) -> None:
        """See `INetworkFilter.connectionClosed`."""
        stats = self._proxy.stats
        stats.connection_active -= 1
        stats.connection_destroy += 1
        if self._detection is not None:
            self._detection.cancel()

    def _decided(self, protocol: IProtocol | None, octets: bytes) -> None:
        if protocol is not None:
            self._serve(protocol, octets)
        elif self._proxy.fallback:
            self._fellBack = True
            if not self._feeding:  # else the verdict says it
                self._connection.continueReading()
        else:
            self._proxy.stats.protocol_error_total += 1
            log.warn(
                "{listener}: connection {id} from {peer} speaks none of {protocols}: {octets!r}",
                listener=self._proxy.name,
                id=self._connection.id,
                peer=self._connection.peer,
                protocols=", ".join(protocol.name for protocol in self._proxy.protocols),
                octets=octets[:10],
            )
            self._connection.close()

    def _serve(self, protocol: IProtocol, octets: bytes) -> None:
        receiver: Any = self._proxy.receiver(self._connection, protocol)
        self._connection.handOver(receiver, octets)
