"""The network filter ``tcp_proxy``: octets to a cluster and back, whatever they are.

Source: spec/upstream.md 13 (MOSN pkg/filter/network/streamproxy).

::

    client -> DownstreamEnd -> upstream       a full write buffer on one side pauses
    client <- UpstreamEnd   <- upstream       the reading of the other

Until the upstream is connected, what the client sends waits in the buffer of its connection's
filter chain, which stops reading at its limit. A relay has no part that could be finished first:
draining leaves it alone, and what is left when the time for draining is over is cut.

How an end of one side ends the other:

- closed by its peer: the other side gets what is buffered for it, then the FIN; what it still
  sends is dropped. A FIN cannot be told from a close, and `IConnection` cannot end writing alone,
  so an answer to a client that only closed its sending half is lost (so it is in MOSN).
- closed by us (idle, shutdown): the other side is closed after what is buffered.
- failed: the other side is reset at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.net import (
    CONTINUE,
    LOCAL_CLOSE,
    REMOTE_CLOSE,
    STOP,
    IBytesReceiver,
    IConnection,
    INetworkFilter,
    INetworkFilterFactory,
)
from mosntx.contracts.upstream import ICluster, IClusters, IHost, ILoadBalancerContext
from mosntx.net.connector import ConnectTimeout
from mosntx.net.filters import NetworkFilter
from mosntx.proxy.tcproutes import ClusterChoice
from mosntx.stats.structs import ClusterStats

log = Logger()

#: Hosts that are tried for one client, at most (MOSN).
MAX_ATTEMPTS = 3

#: Times a balancer is asked for a host that was not tried yet; one that chooses at random names
#: the same one of two hosts so often in a row once in a thousand connections.
MAX_DRAWS = 10

#: ``(host, receiver) -> Deferred[IConnection]``: see `mosntx.contracts.net.IConnector.connect`.
Connect = Callable[[IHost, IBytesReceiver], Deferred[IConnection]]


@implementer(INetworkFilterFactory)
@frozen(eq=False)
class TcpProxy:
    """Made once per filter chain.

    :ivar listener: its name, for logs.
    :ivar choose: names the cluster of a connection.
    :ivar connect: opens a connection to a host in the way and time that its cluster wants.
    :ivar waits: another filter decides first whether connections are for this one, and passes on
        their octets when they are: begin only then. Otherwise begin before the first octet: the
        host may be the one to speak first.
    """

    name = "tcp_proxy"

    listener: str
    choose: ClusterChoice
    clusters: IClusters
    connect: Connect
    waits: bool = False

    def createFilter(self, connection: IConnection) -> INetworkFilter:
        """See `INetworkFilterFactory.createFilter`."""
        return TcpProxyFilter(self, connection)


@implementer(ILoadBalancerContext)
class TcpProxyFilter(NetworkFilter):
    """Finds an upstream for one connection, then hands it over to its end of the relay.

    Its way: begun - attempts, one after the other - connected - the client's first octets have
    come through the filters in front, or there are none - handed over.

    :ivar host: see `ILoadBalancerContext`.
    """

    __slots__ = (
        "_attempt",
        "_buffer",
        "_cluster",
        "_connection",
        "_most",
        "_proxy",
        "_tried",
        "_upstream",
        "host",
    )

    def __init__(self, proxy: TcpProxy, connection: IConnection) -> None:
        self.host: IHost | None = None
        self._proxy = proxy
        self._connection = connection
        self._cluster: ICluster | None = None
        self._most = 0  # attempts
        self._tried: list[str] = []  # addresses
        self._attempt: Deferred[IConnection] | None = None
        self._upstream: IConnection | None = None  # connected, and not handed over yet
        self._buffer: bytearray | None = None  # of the filter chain, once it has come to us

    # INetworkFilter

    def newConnection(self) -> int:
        """Begin, unless others decide first.

        :returns: `STOP`, so that no filter behind this one begins; when octets have come before,
            they are to be seen next.
        """
        if self._proxy.waits:
            return CONTINUE
        self._begin()
        return CONTINUE if self._connection.bytesRead else STOP

    def bytesReceived(self, buffer: bytearray) -> int:
        """Leave the octets where they are until there is an upstream."""
        waited = self._proxy.waits and self._buffer is None
        self._buffer = buffer
        if waited:
            self._begin()
        elif self._upstream is not None:
            self._relay(self._upstream)
        return STOP

    def connectionClosed(self, event: int) -> None:
        """See `INetworkFilter.connectionClosed`; a relay is told by its end."""
        attempt, self._attempt = self._attempt, None
        upstream, self._upstream = self._upstream, None
        if attempt is not None:
            self._release()
            attempt.cancel()
        elif upstream is not None:
            passEnd(event, upstream)

    # ILoadBalancerContext

    @property
    def attempts(self) -> int:
        """See `ILoadBalancerContext`."""
        return len(self._tried)

    @property
    def local(self) -> str:
        """See `ILoadBalancerContext`."""
        address: str = self._connection.local
        return address

    def hashKey(self) -> int | None:
        """See `ILoadBalancerContext.hashKey`: octets have none."""
        return None

    def metadata(self) -> None:
        """See `ILoadBalancerContext.metadata`: there is no route to restrict the hosts."""

    def destination(self, field: bytes) -> str:
        """See `ILoadBalancerContext.destination`: octets have no fields."""
        return ""

    # attempts

    def _begin(self) -> None:
        """Find the cluster, and connect to one of its hosts."""
        name = self._proxy.choose(self._connection)
        cluster = self._proxy.clusters.get(name) if name else None
        if cluster is None:
            self._giveUp(f"there is no cluster {name!r}" if name else "no route matches")
        elif not cluster.limits.tryConnection():
            self._giveUp(f"cluster {name!r} has as many connections as it may have")
        else:
            self._cluster = cluster
            self._most = min(len(cluster.hosts), MAX_ATTEMPTS)
            self._tryNext()

    def _tryNext(self) -> None:
        """Connect to a host that was not tried yet."""
        cluster = self._cluster
        assert cluster is not None
        host = self._chooseHost(cluster)
        if host is None:
            which = "no other" if self._tried else "no"
            self._giveUp(f"cluster {cluster.name!r} has {which} healthy host")
            return
        if self._tried:
            cluster.stats.connection_retry += 1
        self.host = host
        self._tried.append(host.address)
        end = UpstreamEnd(self._connection, cluster, host)
        self._attempt = attempt = self._proxy.connect(host, end)
        attempt.addCallbacks(self._connected, self._failed)
        attempt.addErrback(self._broken)

    def _chooseHost(self, cluster: ICluster) -> IHost | None:
        for _ in range(MAX_DRAWS):
            host: IHost | None = cluster.loadBalancer.chooseHost(self)
            if host is None or host.address not in self._tried:
                return host
        return None

    def _failed(self, failure: Failure) -> None:
        if self._attempt is None:  # the client has left, and the attempt was cancelled
            return
        self._attempt = None
        host = self.host
        assert host is not None
        if failure.check(ConnectTimeout):
            host.stats.request_timeout += 1  # MOSN counts it here
        else:
            host.stats.connection_con_fail += 1
        if len(self._tried) < self._most:
            self._tryNext()
        else:
            self._giveUp(failure.getErrorMessage())

    def _connected(self, upstream: IConnection) -> None:
        self._attempt = None
        self._upstream = upstream
        if self._buffer is not None or not self._connection.bytesRead:
            self._relay(upstream)
        else:  # a filter in front holds octets back, and to hand over would lose them
            upstream.pauseReading()

    def _relay(self, upstream: IConnection) -> None:
        """Both sides are there: the ends go on alone."""
        assert self._cluster is not None
        pending = b"" if self._buffer is None else bytes(self._buffer)
        upstream.resumeReading()
        self._connection.handOver(DownstreamEnd(upstream, self._cluster.stats), pending)
        self._upstream = self._buffer = None

    def _giveUp(self, reason: str) -> None:
        self._release()
        connection = self._connection
        log.warn(
            "{listener}: connection {id} from {peer} is closed: {reason}",
            listener=self._proxy.listener,
            id=connection.id,
            peer=connection.peer,
            reason=reason,
        )
        connection.close()

    def _release(self) -> None:
        """No upstream connection comes to be; one that does is counted by its end."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.limits.releaseConnection()

    def _broken(self, failure: Failure) -> None:
        log.failure("connection {id}: no relay", failure, id=self._connection.id)
        self._connection.abort()


class RelayEnd:
    """One end of a relay: gives what its connection receives to the connection of the other side.

    Both kinds are receivers of octets that count them in a place of their own.

    :param other: the connection of the other side.
    """

    __slots__ = ("_other", "_stats", "_write")

    def __init__(self, other: IConnection, stats: ClusterStats) -> None:
        self._other = other
        self._stats = stats
        self._write: Callable[[bytes], Any] = other.write

    def pauseProducing(self) -> None:
        """Our connection's write buffer is full: take no more from the other side."""
        self._other.pauseReading()

    def resumeProducing(self) -> None:
        """Our connection's write buffer is empty."""
        self._other.resumeReading()

    def stopProducing(self) -> None:
        """Not called by connections."""

    def drain(self) -> None:
        """See `IBytesReceiver.drain`: what has begun is the connection itself."""

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        passEnd(event, self._other)


@implementer(IBytesReceiver)
class DownstreamEnd(RelayEnd):
    """Receives from the client."""

    __slots__ = ()

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        self._stats.connection_bytes_write += len(data)
        self._write(data)


@implementer(IBytesReceiver)
class UpstreamEnd(RelayEnd):
    """Receives from the host, and keeps the accounts of its connection."""

    __slots__ = ("_host", "_limits")

    def __init__(self, other: IConnection, cluster: ICluster, host: IHost) -> None:
        RelayEnd.__init__(self, other, cluster.stats)
        self._host = host.stats
        self._limits = cluster.limits

    def connectionMade(self, connection: IConnection) -> None:
        """See `IBytesReceiver`."""
        self._host.connection_total += 1
        self._host.connection_active += 1

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        self._stats.connection_bytes_read_total += len(data)
        self._write(data)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        stats = self._host
        stats.connection_active -= 1
        stats.connection_close += 1
        if event == LOCAL_CLOSE:
            stats.connection_local_close += 1
        else:
            stats.connection_remote_close += 1
        self._limits.releaseConnection()
        RelayEnd.connectionClosed(self, event)


def passEnd(event: int, other: IConnection) -> None:
    """End the other side after one side has ended by ``event``; see the top of this file."""
    if event == REMOTE_CLOSE:
        other.close(linger=True)
    elif event == LOCAL_CLOSE:
        other.close()
    else:
        other.abort()
