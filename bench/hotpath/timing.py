"""CPU of a request in memory: what the Sidecar itself takes, without transports and kernel."""

from __future__ import annotations

import gc
from time import process_time_ns

from bench.hotpath.scenes import Scene
from mosntx.testing.mesh import Peer

#: Rounds, of which the best counts: other work on the machine only makes them worse.
ROUNDS = 12
#: Requests of a round.
REQUESTS = 1600


class _Watch:
    """Adds up the time in which the Sidecar has its turn."""

    def __init__(self) -> None:
        self.nanoseconds = 0

    def send(self, peer: Peer, data: bytes) -> None:
        """Hand octets to the Sidecar."""
        receive = peer.transport.protocol.dataReceived
        begin = process_time_ns()
        receive(data)
        self.nanoseconds += process_time_ns() - begin


def microseconds(scene: Scene, rounds: int = ROUNDS, requests: int = REQUESTS) -> float:
    """Return the CPU of one request in the best round."""
    best = float("inf")
    gc.collect()
    gc.freeze()  # what the harness has made is not looked through again and again
    try:
        for _ in range(rounds):
            watch = _Watch()
            batches = requests // scene.batch
            for _ in range(batches):
                scene.exchange(watch.send)
            best = min(best, watch.nanoseconds / 1000 / (batches * scene.batch))
    finally:
        gc.unfreeze()
    return best
