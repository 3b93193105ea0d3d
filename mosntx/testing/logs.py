"""A target of logs in memory, which can be slow or broken."""

from __future__ import annotations

from zope.interface import implementer

from mosntx.proxy.logsink import ILogTarget


@implementer(ILogTarget)
class MemoryTarget:
    """Keeps what it gets.

    :ivar writes: each piece that was taken.
    :ivar room: octets that it takes before it is full; ``None`` without limit.
    :ivar error: raised by `write` when it is full, instead of taking nothing.
    :ivar reopened: how often `reopen` was called.
    """

    def __init__(self, room: int | None = None) -> None:
        self.writes: list[bytes] = []
        self.room = room
        self.error: OSError | None = None
        self.reopened = 0
        self.closed = False

    @property
    def data(self) -> bytes:
        """Everything that was taken."""
        return b"".join(self.writes)

    def write(self, data: memoryview) -> int:
        """See `ILogTarget.write`."""
        taken = bytes(data if self.room is None else data[: self.room])
        if self.room is not None:
            self.room -= len(taken)
        if not taken and self.error is not None:
            raise self.error
        if taken:
            self.writes.append(taken)
        return len(taken)

    def reopen(self) -> None:
        """See `ILogTarget.reopen`."""
        self.reopened += 1

    def close(self) -> None:
        """See `ILogTarget.close`."""
        self.closed = True
