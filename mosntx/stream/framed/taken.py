"""Clients that ask and do not read: what is written although they take nothing has an end."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.stream import IRequestSink
from mosntx.stream.framed.base import FramedConnection

#: Octets of heads and answers to the client's frames that are written although it takes none; then
#: nothing more is read from it, so it can ask for no more. As much as the heads of 100 responses.
MAX_UNTAKEN = 65536


class TakenConnection(FramedConnection[IRequestSink]):
    """A connection whose peer must take what it asked for before it may ask on.

    Flow control holds back bodies only.
    """

    __slots__ = ("_untaken",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._untaken = 0  # octets written since the transport is full

    def _drainCodec(self) -> None:
        """See `FramedConnection._drainCodec`."""
        connection = self.connection
        before = connection.bytesWritten
        super()._drainCodec()
        if self._codec.corked:
            self._untaken += connection.bytesWritten - before
            if self._untaken > MAX_UNTAKEN and not self._closed:
                connection.pauseReading()

    def resumeProducing(self) -> None:
        """See `FramedConnection.resumeProducing`."""
        if self._untaken > MAX_UNTAKEN and not self._closed:
            self.connection.resumeReading()
        self._untaken = 0
        super().resumeProducing()
