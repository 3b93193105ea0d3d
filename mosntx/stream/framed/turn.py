"""One write per peer and read."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

log = Logger()


class WriteTurn:
    """Collects the connections that have something to write while octets are looked at.

    One read may bring parts of many streams, and each part may become frames for several peers.
    Written one by one that would be a system call, or a TLS record, for each frame. So whoever has
    something to say is marked, and writes once, when the outermost read is over. Outside of a read
    (timers, connections that come free) it writes at once.

    One object is shared by all connections of a Sidecar: the reads of one kind of connection cause
    the writes of the other.
    """

    __slots__ = ("_depth", "_dirty")

    def __init__(self) -> None:
        self._depth = 0
        # A dictionary, because it keeps the order and holds each only once.
        self._dirty: dict[Any, None] = {}

    def enter(self) -> None:
        """A read begins. Reads may be nested; each calls `leave` once."""
        self._depth += 1

    def leave(self) -> None:
        """A read is over. At the end of the outermost one those who were marked write."""
        if self._depth == 1:
            while self._dirty:  # writing may let others go on, who are marked then
                dirty, self._dirty = self._dirty, {}
                for connection in dirty:
                    try:
                        connection.writeOut()
                    except Exception:
                        log.failure("connection {c}: nothing written", c=connection.connection.id)
        self._depth -= 1

    def mark(self, connection: Any) -> None:
        """Let ``connection.writeOut()`` be called when the read is over, or now outside of one."""
        self._dirty[connection] = None
        if not self._depth:
            self._depth = 1
            self.leave()
