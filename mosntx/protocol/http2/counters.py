"""What happened to the connections of one listener or one cluster, counted by name."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from mosntx.protocol.http2.codes import REFUSED_STREAM
from mosntx.protocol.http2.guard import FloodLimits

#: Waits that can last too long, see `mosntx.protocol.http2.waits`; ``ping`` is the keepalive's.
#: None is called like a flood.
PREFACE_WAIT = "preface"
HEADERS_WAIT = "headers"
STREAM_WINDOW_WAIT = "stream_window"
CONNECTION_WINDOW_WAIT = "connection_window"
PING_WAIT = "ping"
WAITS = (PREFACE_WAIT, HEADERS_WAIT, STREAM_WINDOW_WAIT, CONNECTION_WINDOW_WAIT, PING_WAIT)

FLOODS = tuple(field.name for field in attrs.fields(FloodLimits))


class Http2Counters:
    """Plain integers, shared by the codecs of one place.

    :ivar goaway_sent: GOAWAY frames; a graceful end has two.
    :ivar refused_sent: streams that we refused (REFUSED_STREAM); they count in ``reset_sent`` too.
    :ivar refused_received: streams that the peer refused; they count in ``reset_received`` too.
    :ivar floods: connections that a limit of `FloodLimits` ended, by its name.
    :ivar waits: connections, or streams, that a wait ended, by its name.
    """

    __slots__ = (
        "floods",
        "goaway_received",
        "goaway_sent",
        "refused_received",
        "refused_sent",
        "reset_received",
        "reset_sent",
        "waits",
    )

    #: Attributes that are published as they are called.
    PLAIN = (
        "goaway_sent",
        "goaway_received",
        "refused_sent",
        "refused_received",
        "reset_sent",
        "reset_received",
    )

    def __init__(self) -> None:
        self.goaway_sent = self.goaway_received = 0
        self.refused_sent = self.refused_received = 0
        self.reset_sent = self.reset_received = 0
        self.floods = dict.fromkeys(FLOODS, 0)
        self.waits = dict.fromkeys(WAITS, 0)

    def reset(self, code: int, ours: bool) -> None:
        """A stream was reset.

        :param ours: by our side.
        """
        refused = code == REFUSED_STREAM
        if ours:
            self.reset_sent += 1
            self.refused_sent += refused
        else:
            self.reset_received += 1
            self.refused_received += refused

    def ended(self, name: str) -> None:
        """A connection or a stream had to end: the flood or wait of this name, or none of them."""
        if name in self.floods:
            self.floods[name] += 1
        elif name in self.waits:
            self.waits[name] += 1

    def counts(self) -> Iterator[tuple[str, int]]:
        """Return keys of stats, and their values as of now."""
        for name in self.PLAIN:
            yield f"http2_{name}_total", getattr(self, name)
        for name, count in self.floods.items():
            yield f"http2_flood_{name}_total", count
        for name, count in self.waits.items():
            yield f"http2_timeout_{name}_total", count
