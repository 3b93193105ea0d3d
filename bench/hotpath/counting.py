"""Counts of what happens in a request, the same in every run: no clock is looked at.

*Calls* are those of Python and of C functions, as `sys.setprofile` sees them. *Blocks* are pieces
of memory, about one for each object that is not a small integer or the like: those taken in the
course of a request, and those held while it is in flight.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from attrs import frozen

from bench.hotpath.scenes import Scene, Send
from mosntx.testing.mesh import Peer

#: Requests before counting begins, until tables and caches have what they need.
WARM_UP = 48
#: Requests that are counted: enough for what happens every few requests, as WINDOW_UPDATE does.
COUNTED = 96
#: Requests whose blocks are counted: the interpreter walks through all its memory for each look.
LOOKED_AT = 16


@frozen
class Counts:
    """Averages per request, to a tenth.

    :ivar python: calls of Python functions.
    :ivar c: calls of C functions.
    :ivar blocks: memory blocks taken, as far as they were not given back before the next call.
    :ivar held: memory blocks held by a request in flight.
    """

    python: float
    c: float
    blocks: float
    held: float


class _Calls:
    """Counts calls: it is what `sys.setprofile` calls."""

    def __init__(self) -> None:
        self.python = self.c = 0

    def __call__(self, _frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            self.python += 1
        elif event == "c_call":
            self.c += 1

    def send(self, peer: Peer, data: bytes) -> None:
        """Hand octets to the Sidecar and count what it does."""
        receive = peer.transport.protocol.dataReceived
        sys.setprofile(self)
        receive(data)
        sys.setprofile(None)
        self.c -= 1  # the last call


class _Blocks(_Calls):
    """Counts blocks that are taken, looking at each call and return."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = self._last = 0

    def __call__(self, _frame: FrameType, _event: str, _argument: Any) -> None:
        now = sys.getallocatedblocks()
        if now > self._last:
            self.blocks += now - self._last
        self._last = sys.getallocatedblocks()

    def send(self, peer: Peer, data: bytes) -> None:
        """See `_Calls.send`."""
        self._last = sys.getallocatedblocks()
        super().send(peer, data)


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing happens by itself: no garbage collection, and nobody else looks at calls or lines.

    A tracer, as that of coverage, takes memory that would be counted.
    """
    before, tracer, collects = sys.getprofile(), sys.gettrace(), gc.isenabled()
    gc.collect()
    gc.disable()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracer)
        sys.setprofile(before)
        if collects:
            gc.enable()


def _held(scene: Scene) -> int:
    """Return the blocks that requests in flight hold, all together."""
    total = 0
    for _ in range(LOOKED_AT // scene.batch):
        before = sys.getallocatedblocks()
        scene.ask(Peer.send)
        total += sys.getallocatedblocks() - before
        scene.answer(Peer.send)
    return total


def _run(scene: Scene, requests: int, send: Send) -> None:
    for _ in range(requests // scene.batch):
        scene.exchange(send)


def count(scene: Scene) -> Counts:
    """Run a scene and return what its requests cost."""
    calls, blocks = _Calls(), _Blocks()
    with _quiet():
        _run(scene, WARM_UP, Peer.send)
        _run(scene, COUNTED, calls.send)
        _run(scene, LOOKED_AT, blocks.send)
        held = _held(scene)
    figures = calls.python / COUNTED, calls.c / COUNTED, blocks.blocks / LOOKED_AT, held / LOOKED_AT
    return Counts(*(round(figure, 1) for figure in figures))
