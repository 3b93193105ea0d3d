"""The reactor of ``twistd --reactor=mosntx``: Twisted's for epoll, with less work per event.

- Twisted sets up a log context for each event, so that messages know their connection. It takes
  longer than a small read, and nobody here logs per event. Errors still have it.
- A poll returns a limited batch of events, however many sockets are ready: the kernel puts those
  that had their turn behind the others, and timers are not kept waiting.
- Transports of `mosntx.net.transports` send at the end of a turn without a timed call.
"""

from __future__ import annotations

from select import EPOLLIN
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionFdescWentAway
from twisted.python import log

from mosntx.net.turns import Turn

#: Events of one poll. With 40 µs for each, timers and other sockets wait some 5 ms at most.
BATCH = 128

#: Somebody else has closed a socket of ours.
_LOST = ConnectionFdescWentAway("File descriptor lost")


class Reactor(EPollReactor):
    """See the module.

    :ivar turn: what waits to be sent in this turn.
    """

    def __init__(self) -> None:
        self.turn = Turn()
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's

    def runUntilCurrent(self) -> None:
        """Run what is due, then send what that has written."""
        super().runUntilCurrent()
        if self.turn.waiting:
            self.turn.flush()

    def doPoll(self, timeout: float | None) -> None:
        """Wait for events, handle a batch of them, then send what that has written.

        :param timeout: seconds, ``None`` = for ever.
        """
        turn = self.turn
        if turn.waiting:  # written while the turn was ending
            timeout = 0
        events = self._poller.poll(-1 if timeout is None else timeout, BATCH)
        selectables = self._selectables
        for descriptor, event in events:
            selectable = selectables.get(descriptor)
            if selectable is None:  # an event before has closed it
                continue
            if event == EPOLLIN:
                self._read(selectable)
            else:
                log.callWithLogger(selectable, self._doReadOrWrite, selectable, descriptor, event)
        if turn.waiting:
            turn.flush()

    doIteration = doPoll

    def _read(self, selectable: Any) -> None:
        """Handle the event that nearly all are: see ``_doReadOrWrite`` of Twisted's."""
        read = True
        try:
            if selectable.fileno() == -1:
                why: Any = _LOST
                read = False
            else:
                why = selectable.doRead()
        except BaseException as error:  # as Twisted does: whatever happened, log and disconnect
            why = error
            read = False
            log.callWithLogger(selectable, log.err)
        if why:
            self._disconnectSelectable(selectable, why, read)  # type: ignore[no-untyped-call]  # Twisted's


def install() -> None:
    """Install the reactor, as Twisted's own modules of reactors do.

    :raises ReactorAlreadyInstalledError: when there is one.
    """
    from twisted.internet.main import installReactor

    installReactor(Reactor())
