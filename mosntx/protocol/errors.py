"""What goes wrong in codecs."""

from __future__ import annotations


class ProtocolError(Exception):
    """A peer broke its protocol, or a message cannot be said in it.

    :param status: the HTTP status that tells the failure: of the farewell at the server's end, of
        the local reply when an upstream is at fault; 0 when nothing can be said.
    :param reason: a short text for people. Never holds octets of the peer, so it is safe to show.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class LimitError(ProtocolError):
    """A peer went over a limit; its input was not wrong otherwise."""


class WaitError(ProtocolError):
    """A peer took longer than `mosntx.contracts.codec.ICodec.waitLimit` allows."""


class EncodeError(ProtocolError):
    """A message of ours cannot be written in this protocol; raised before any of its octets."""
