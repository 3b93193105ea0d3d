"""The end of a turn of the reactor's loop: when what was written in it is sent.

A proxy writes several times per turn to one peer (a head and a body, the answers to pipelined
requests). Twisted joins these too, but it sends them from an event of their own: epoll is told to
watch the socket, woken for it, and told to watch it no more. Here the transports themselves wait in
a list, and send when the turn ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from twisted.logger import Logger

log = Logger()


class Waiting(Protocol):
    """What waits for the end of a turn.

    :ivar reactor: provides ``IReactorTime``.
    """

    reactor: Any

    def turnEnds(self) -> object:
        """Send; called once per `Turn.add`."""


class Turn:
    """Transports with something to send, in a reactor that calls `flush` before it waits.

    :ivar waiting: those of this turn, in the order of their first write. Always the same list, so
        that its own method can be `add`: two calls less for each request.
    :ivar add: sends what a transport has, at the end of the turn.
    """

    __slots__ = ("__weakref__", "add", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Waiting] = []
        self.add: Callable[[Waiting], object] = self.waiting.append

    def flush(self) -> None:
        """End the turn; what is added meanwhile belongs to the next one, so that this one ends."""
        waiting = self.waiting.copy()
        self.waiting.clear()
        for transport in waiting:
            try:
                transport.turnEnds()
            except BaseException:  # as reactors do: no protocol may harm the others' turn
                log.failure("a transport failed while it was sending")


class TimedTurn(Turn):
    """A turn of any reactor: due calls run after the events of a turn, before the next poll."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.add = self._addTimed

    def _addTimed(self, transport: Waiting) -> None:
        """See `Turn.add`."""
        if not self.waiting:
            transport.reactor.callLater(0, self.flush)
        self.waiting.append(transport)


#: The turns of reactors that have none of their own: all transports of a reactor share one, for
#: each costs a ``callLater`` per turn.
_timed: WeakKeyDictionary[Any, Turn] = WeakKeyDictionary()


def turnOf(reactor: Any) -> Turn:
    """Return the turn of a reactor: its own ``turn`` if it has one, as ours does."""
    own = getattr(reactor, "turn", None)
    if isinstance(own, Turn):
        return own
    turn = _timed.get(reactor)
    if turn is None:
        turn = _timed[reactor] = TimedTurn()
    return turn
