"""Connect and close: a host that accepts is well (MOSN pkg/upstream/healthcheck/tcpdial.go)."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.net import IBytesReceiver, IConnection, IConnector
from mosntx.contracts.upstream import IHost
from mosntx.net.connector import ConnectFailed
from mosntx.upstream.health.probe import CONNECT_LIMIT, IProbe


@implementer(IBytesReceiver)
class Deaf:
    """Wants nothing of what a connection says."""

    __slots__ = ()

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""

    def drain(self) -> None:
        """See `IBytesReceiver.drain`."""

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""

    def pauseProducing(self) -> None:
        """Nothing is written."""

    def resumeProducing(self) -> None:
        """Nothing is written."""

    def stopProducing(self) -> None:
        """Nothing is written."""


@implementer(IProbe)
class TcpProbe:
    """See `IProbe`. A refused connect is a bad answer, as in MOSN."""

    __slots__ = ("_connector",)

    def __init__(self, connector: IConnector) -> None:
        self._connector = connector

    def check(self, host: IHost) -> Deferred[bool]:
        """See `IHealthChecker.check`."""
        connecting: Deferred[IConnection] = self._connector.connect(
            host.address, CONNECT_LIMIT, Deaf()
        )
        return connecting.addCallbacks(self._connected, self._refused)

    def close(self) -> None:
        """See `IProbe.close`: nothing is kept."""

    def _connected(self, connection: IConnection) -> bool:
        connection.close()
        return True

    def _refused(self, failure: Failure) -> bool:
        failure.trap(ConnectFailed)
        return False
