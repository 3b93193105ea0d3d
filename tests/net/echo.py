"""A program for tests: an echo listener in a process that may open few files.

``python -m tests.net.echo REACTOR HEADROOM``: prints its address, and serves until it is ended.
HEADROOM 0 lets connections take every descriptor.
"""

from __future__ import annotations

import resource
import sys
from itertools import count
from typing import Any

from twisted.application.reactors import installReactor
from zope.interface import implementer

from mosntx.contracts.net import STOP, INetworkFilterFactory
from mosntx.net.filters import NetworkFilter
from mosntx.net.listener import Listener, ListenerOptions
from mosntx.net.timers import TimerWheel

DESCRIPTORS = 64


class Echo(NetworkFilter):
    """Sends octets back."""

    def __init__(self, connection):
        self.connection = connection

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        self.connection.write(bytes(buffer))
        buffer.clear()
        return STOP


@implementer(INetworkFilterFactory)
class Echoing:
    """The factory of `Echo`."""

    name = "echo"

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        return Echo(connection)


def main(name, headroom):
    """Serve.

    :param name: of the reactor.
    :param headroom: leave descriptors to others.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    reactor: Any = installReactor(name)
    wheel = TimerWheel(reactor, reactor.seconds)
    options = ListenerOptions(maxDescriptor=0 if headroom else DESCRIPTORS)
    listener = Listener(
        "echo", "127.0.0.1:0", reactor, wheel, count(1), [Echoing()], options=options
    )
    listener.start()
    print(listener.boundAddress, flush=True)  # noqa: T201 - its output
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] != "0")
