"""NET/IO: connections, listeners and filters on their octets (rows N1 to N6, E1, E2)."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import Attribute, Interface

#: Verdicts of network filters and listener filters.
CONTINUE = 0  # go on with the next filter
# end here; a read filter that stopped in `INetworkFilter.newConnection` calls
# `IConnection.continueReading` later
STOP = 1

#: Events in the life of a connection (row N2; MOSN pkg/api connection events). The five from
#: `REMOTE_CLOSE` to `WRITE_ERROR_CLOSE` end it.
CONNECTED = 0
CONNECT_TIMEOUT = 1
CONNECT_FAILED = 2
REMOTE_CLOSE = 3
LOCAL_CLOSE = 4
READ_ERROR_CLOSE = 5
WRITE_ERROR_CLOSE = 6
IDLE = 7  # the idle timeout ran out; LOCAL_CLOSE follows
DRAINING = 8  # the owner asked for an end after what has begun
WRITE_BLOCKED = 9  # the write buffer passed its high-water mark
WRITE_RESUMED = 10  # the write buffer is empty again

EVENT_NAMES = (
    "connected",
    "connect timeout",
    "connect failed",
    "remote close",
    "local close",
    "read error",
    "write error",
    "idle",
    "draining",
    "write blocked",
    "write resumed",
)

#: States of a listener.
LISTENER_NEW = 0
LISTENER_OPEN = 1
LISTENER_DRAINING = 2
LISTENER_CLOSED = 3


class IConnection(Interface):
    """A connection as the upper layers see it: octets and events, no sockets.

    The same at both ends (row N5).
    """

    id = Attribute("``int``: unique in this process and Sidecar, for logs")
    local = Attribute("``str``: ``ip:port`` or the path of the unix socket")
    peer = Attribute("``str``: ``ip:port``, or ``unix`` for an unnamed peer")
    tls = Attribute("``bool``: the octets are encrypted on the wire")
    bytesRead = Attribute("``int``: octets received so far")
    bytesWritten = Attribute("``int``: octets given to the transport so far")
    closed = Attribute("``bool``: no octet will come or go any more")
    closeEvent = Attribute("``int``: the event that ended it, once `closed`")

    def write(data: bytes) -> None:
        """Send octets through the write filters.

        Joined by the transport with other writes of the same loop turn; ignored after the end.
        """

    def pauseReading() -> None:
        """Take no more octets from the peer until `resumeReading`.

        Octets already taken may still be delivered.
        """

    def resumeReading() -> None:
        """Undo `pauseReading`."""

    def continueReading() -> None:
        """Go on with the filter after the one that stopped.

        It did so in `INetworkFilter.newConnection` or ``bytesReceived``.
        """

    def close(linger: bool = False, quiet: float = 0.0) -> None:
        """Send what is buffered, then end the connection: `LOCAL_CLOSE`.

        :param linger: the peer may still be sending. Octets that come are dropped until it closes
            too, at most for `mosntx.net.connection.LINGER_TIMEOUT`;
            without it the kernel answers them with a reset, which can destroy what we sent (RFC
            9112 9.6).
        :param quiet: linger no longer once the peer has said nothing for so many seconds; 0.0 = for
            the whole time.
        """

    def endWriting() -> bool:
        """Send what is buffered, then a FIN; reading goes on.

        Later writes are ignored. Close when the peer has ended too.

        :returns: False when the transport cannot (TLS); nothing has been done then.
        """

    def abort() -> None:
        """End the connection at once, losing what is buffered: `LOCAL_CLOSE`."""

    def drain() -> None:
        """`DRAINING`, then the receiver's `IBytesReceiver.drain`.

        `close` when no receiver has come within a second.
        """

    def handOver(receiver: Any, pending: bytes) -> None:
        """Give all later octets to ``receiver`` (an `IBytesReceiver`), starting with ``pending``.

        Called by the last network filter, once.

        Read filters in front of the caller that look at octets keep seeing them first. What the
        chain had buffered is forgotten: the caller has it in
        ``pending``. When the connection has ended meanwhile, the receiver is only told so.
        """

    def addEventHandler(handler: Any) -> None:
        """Tell ``handler`` (an `IConnectionEventHandler`) about each later event."""


class IBytesReceiver(IPushProducer):
    """Who gets the octets of a connection after `IConnection.handOver`.

    Stream connections and L4 proxies.

    As a producer it is paused when the connection's write buffer passes its high-water mark and
    resumed when the buffer is empty, strictly in turns; ``stopProducing`` is never called. After it
    called `IConnection.close` or ``abort`` it gets no more octets. Optional abilities, the methods
    looked up once in `IConnection.handOver`:

    - ``connectionMade(connection: IConnection) -> None``: called first; the way a receiver given to
      `IConnector.connect` learns its connection.
    - ``readClosed() -> None``: the peer will send no more (FIN), but may still read. Whether it
      waits for an answer or has left cannot be told. A receiver without this ability gets
      ``connectionClosed(REMOTE_CLOSE)`` at once.
    - ``active: int``: while it is not 0, the connection is not idle though no octets move.
    """

    def bytesReceived(data: bytes) -> None:
        """Octets have come."""

    def drain() -> None:
        """Take nothing new.

        Close the connection when what has begun is over (at once when nothing has).
        """

    def connectionClosed(event: int) -> None:
        """The connection has ended by ``event``.

        Called exactly once, last, and not from within `IConnection.close` or ``abort``.
        """


class INetworkFilter(Interface):
    """A filter on the octets of one connection (row E1).

    Made per connection by an `INetworkFilterFactory`.

    `mosntx.net.filters.NetworkFilter` provides it and does nothing; a hook that a filter does not
    override costs nothing.
    """

    def newConnection() -> int:
        """Called once, before any octet, in configuration order.

        `STOP` holds back later filters and all reading of octets by them.
        """

    def bytesReceived(buffer: bytearray) -> int:
        """Called when octets have come; ``buffer`` holds all that was not consumed yet.

        Consume with ``del buffer[:n]``.

        `CONTINUE` shows the same buffer to the next filter, `STOP` ends this round. While the
        buffer holds more than the connection's buffer limit,
        nothing is read from the peer: a filter that needs more at once consumes and keeps its own.
        An exception aborts the connection.
        """

    def bytesWritten(data: bytes) -> bytes | None:
        """Called before each write in configuration order.

        Return what to send instead, ``None`` to swallow it.
        """

    def connectionClosed(event: int) -> None:
        """The connection has ended; called exactly once, unless `newConnection` never was."""


class INetworkFilterFactory(Interface):
    """Made once per filter chain from its configuration."""

    name = Attribute("``str``: the ``type`` in the configuration")

    def createFilter(connection: IConnection) -> INetworkFilter:
        """Return the filter of one new connection."""


class INetworkFilterType(Interface):
    """A row of the catalog: makes network filter factories from configuration."""

    name = Attribute("``str``: the ``type`` in the configuration")
    configClass = Attribute(
        "an attrs class that the filter's ``config`` is decoded into, or ``None`` for a plain "
        "mapping"
    )

    def build(config: Any, context: Any) -> INetworkFilterFactory:
        """Return the factory for one filter chain.

        ``context`` is an `mosntx.contracts.filters.IFilterContext`.

        :raises ValueError: when the configuration cannot work; the message is shown with the
            configuration path.
        """


class IListenerFilter(Interface):
    """Looks at an accepted connection before any network filter exists.

    Examples are the original destination and the PROXY protocol.
    """

    name = Attribute("``str``: the ``type`` in the configuration")

    def accepted(connection: IConnection) -> int:
        """`CONTINUE`, or `STOP` when the filter has taken or closed the connection."""


class IListenerFilterType(Interface):
    """A row of the catalog: makes listener filters from configuration."""

    name = Attribute("``str``: the ``type`` in the configuration")
    configClass = Attribute(
        "an attrs class that the filter's ``config`` is decoded into, or ``None`` for a mapping"
    )

    def build(config: Any, context: Any) -> IListenerFilter:
        """Return the filter of one listener.

        :param context: an `mosntx.contracts.filters.IFilterContext`.
        :raises ValueError: when the configuration cannot work; the message is shown with the
            configuration path.
        """


class IListenerEventHandler(Interface):
    """Told about a listener (row E2). Exceptions are logged and do not reach the listener."""

    def listenerOpened(listener: Any) -> None:
        """The port is bound."""

    def connectionAccepted(listener: Any, connection: IConnection) -> None:
        """A connection passed the listener filters."""

    def connectionRefused(listener: Any, reason: str) -> None:
        """A connection was closed at once (limit reached, draining)."""

    def listenerDraining(listener: Any) -> None:
        """The port is closed; existing connections go on."""

    def listenerClosed(listener: Any) -> None:
        """The last connection has gone, or waiting for it was given up."""


class IConnectionEventHandler(Interface):
    """Told about a connection (row N2)."""

    def connectionEvent(connection: IConnection, event: int) -> None:
        """``event`` is one of the constants above, in the order in which they happen."""


class IConnector(Interface):
    """Opens connections (upstream)."""

    def connect(address: str, timeout: float, receiver: Any, eventHandlers: Any = ()) -> Any:
        """Connect and hand the connection over to ``receiver`` (an `IBytesReceiver`).

        :param address: ``ip:port``, ``[v6]:port``, ``name:port`` or ``unix:/path``.
        :param timeout: seconds, for finding the name and connecting together.
        :param eventHandlers: `IConnectionEventHandler` objects that also hear `CONNECTED`,
            `CONNECT_TIMEOUT` and `CONNECT_FAILED`.
        :returns: a ``Deferred[IConnection]``; fails with `mosntx.net.connector.ConnectFailed` or
            `ConnectTimeout` (both name the address). Cancelling stops the attempt.
        """
