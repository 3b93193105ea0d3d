"""Heartbeats of a protocol of frames on a connection of their own (wire/heartbeat.md, leg ii).

Far away they are a client's heartbeats: another mesh answers them by its own rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.codec import IClientCodec
from mosntx.contracts.net import IConnection, IConnector
from mosntx.contracts.stream import IFrameConnectionOwner
from mosntx.contracts.upstream import IHost
from mosntx.stream.multiplex.client import ClientConnection
from mosntx.upstream.health.probe import CONNECT_LIMIT, IProbe, ProbeError


@implementer(IProbe, IFrameConnectionOwner)
class RpcProbe:
    """See `IProbe`. Status 0 is a good answer, any other a bad one.

    The connection is kept between checks. After a timeout the next check opens another, so that a
    late answer cannot be taken for one of its own.
    """

    __slots__ = ("_answer", "_attempt", "_codec", "_connector", "_streams")

    def __init__(self, connector: IConnector, codec: Callable[[], IClientCodec]) -> None:
        """:param codec: makes the codec of a new connection."""
        self._connector = connector
        self._codec = codec
        self._streams: ClientConnection | None = None
        self._attempt: Deferred[Any] | None = None
        self._answer: Deferred[bool] | None = None

    def check(self, host: IHost) -> Deferred[bool]:
        """See `IHealthChecker.check`."""
        answer = self._answer = Deferred(self._cancelled)
        streams = self._streams
        if streams is not None and streams.reusable:
            self._ask(streams, answer)
        else:
            self._connect(host, answer)
        return answer

    def close(self) -> None:
        """See `IProbe.close`."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams.connection.close()

    # IFrameConnectionOwner: heartbeats that the end of a connection leaves open say so themselves

    def checkin(self, streams: Any) -> None:
        """See `IConnectionOwner.checkin`: there are no streams."""

    def protocolError(self, streams: Any) -> None:
        """See `IConnectionOwner.protocolError`."""

    def stale(self, streams: Any) -> None:
        """See `IConnectionOwner.stale`: a probe's connection has no others beside it."""

    def connectionGone(self, streams: Any, event: int) -> None:
        """See `IConnectionOwner.connectionGone`."""
        if streams is self._streams:
            self._streams = None

    def goneAway(self, streams: Any) -> None:
        """See `IFrameConnectionOwner.goneAway`: the next check opens another connection."""

    def lateAnswer(self, streams: Any) -> None:
        """See `IFrameConnectionOwner.lateAnswer`."""

    # one check

    def _connect(self, host: IHost, answer: Deferred[bool]) -> None:
        streams = ClientConnection(self._codec(), self)
        attempt: Deferred[Any] = self._connector.connect(host.address, CONNECT_LIMIT, streams)
        self._attempt = attempt
        attempt.addCallbacks(
            self._connected,
            self._refused,
            callbackArgs=(streams, answer),
            errbackArgs=(answer,),
        )

    def _connected(
        self, connection: IConnection, streams: ClientConnection, answer: Deferred[bool]
    ) -> None:
        self._attempt = None
        if connection.closed:
            self._lost(answer)
        else:
            self._streams = streams
            self._ask(streams, answer)

    def _refused(self, failure: Failure, answer: Deferred[bool]) -> None:
        self._attempt = None
        if answer is self._answer:
            self._answer = None
            answer.errback(failure)

    def _ask(self, streams: ClientConnection, answer: Deferred[bool]) -> None:
        streams.heartbeat(lambda status: self._answered(status, answer))

    def _answered(self, status: int | None, answer: Deferred[bool]) -> None:
        if status is None:
            self._lost(answer)
        elif answer is self._answer:
            self._answer = None
            answer.callback(status == 0)

    def _lost(self, answer: Deferred[bool]) -> None:
        if answer is self._answer:
            self._answer = None
            answer.errback(ProbeError("the connection ended before the heartbeat was answered"))

    def _cancelled(self, _answer: Deferred[bool]) -> None:
        self._answer = None
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        streams, self._streams = self._streams, None
        if streams is not None:
            streams.connection.abort()
