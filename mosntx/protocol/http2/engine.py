"""What the codecs want of an HTTP/2 library: framing, HPACK, states and windows received."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mosntx.contracts.message import Pair
from mosntx.protocol.errors import ProtocolError


class EngineError(ProtocolError):
    """The peer broke the connection; the engine has said so to it.

    :param code: RFC 9113 section 7.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(400, reason)
        self.code = code


class EngineEvents(ABC):
    """Who hears of what was received, in the order of the wire."""

    __slots__ = ()

    @abstractmethod
    def headersReceived(self, number: int, fields: Sequence[Any], end: bool) -> None:
        """The head of a request, or the final head of a response."""

    @abstractmethod
    def interimReceived(self, number: int, fields: Sequence[Any]) -> None:
        """An interim response."""

    @abstractmethod
    def dataReceived(self, number: int, data: bytes, size: int, end: bool) -> None:
        """Data; ``size`` is what it takes of the windows, padding included."""

    @abstractmethod
    def trailersReceived(self, number: int, fields: Sequence[Any]) -> None:
        """Trailers, which end the message."""

    @abstractmethod
    def resetReceived(self, number: int, code: int, ours: bool) -> None:
        """A stream is dead; ``ours``: the engine has reset it for a mistake of the peer."""

    @abstractmethod
    def pushReceived(self, number: int, promised: int, fields: Sequence[Any]) -> None:
        """A response will be pushed."""

    @abstractmethod
    def goAwayReceived(self, last: int, code: int) -> None:
        """The peer takes no streams above ``last``."""

    @abstractmethod
    def settingsReceived(self, settings: Mapping[int, int]) -> None:
        """Settings of the peer that have changed."""

    @abstractmethod
    def windowReceived(self, number: int, increment: int) -> None:
        """The peer takes more; stream 0 is the connection."""

    @abstractmethod
    def pongReceived(self, payload: bytes) -> None:
        """A PING of ours was answered."""


class Engine(ABC):
    """One connection. Methods raise `EngineError`, or what the library raises for our mistakes."""

    __slots__ = ()

    @abstractmethod
    def receive(self, data: bytes, whole: bool = True) -> None:
        """Take octets; tell `EngineEvents`.

        :param whole: they end with a frame that is whole, and outside of a field block.
        :raises EngineError: when the connection is broken.
        """

    @abstractmethod
    def take(self) -> bytes:
        """Return what is to be written."""

    @abstractmethod
    def request(self, fields: Sequence[Pair], end: bool) -> int:
        """Begin a request; return its stream."""

    @abstractmethod
    def response(self, number: int, fields: Sequence[Pair], end: bool) -> None:
        """Send the final head of a response."""

    @abstractmethod
    def interim(self, number: int, fields: Sequence[Pair]) -> None:
        """Send an interim response."""

    @abstractmethod
    def data(self, number: int, data: bytes, end: bool) -> None:
        """Send data, for which the windows have room."""

    @abstractmethod
    def trailers(self, number: int, fields: Sequence[Pair]) -> None:
        """Send trailers."""

    @abstractmethod
    def reset(self, number: int, code: int) -> None:
        """Reset a stream."""

    @abstractmethod
    def push(self, number: int, fields: Sequence[Pair]) -> int:
        """Promise a pushed response; return its stream."""

    @abstractmethod
    def consumed(self, number: int, size: int) -> None:
        """So many octets received are out of the way: let the peer send as many more."""

    @abstractmethod
    def ping(self, payload: bytes) -> None:
        """Send a PING."""
