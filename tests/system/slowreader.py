"""A transfer whose reader is slow, beside other requests on the same connection.

``python -m tests.system.slowreader`` does it with 1 GiB, by itself and as a gRPC stream, and prints
what the daemon's memory and the other requests do meanwhile.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from tests.system.daemon import Daemon, Running, freePort, startUvicorn
from tests.system.http2client import Http2Client
from tests.system.sidecars import H2, NGH2, Hop, startSidecar

PEER = str(Path(__file__).parent / "grpcpeer.py")
#: What the application repeats.
OCTETS = bytes(range(256))
#: Octets that the slow reader takes for each of the other requests.
STEP = 65_536
#: Requests without a transfer beside them.
ALONE = 500
#: Seconds between two looks at the memory of the daemon.
LOOK = 0.1
#: Seconds that all may take.
PATIENCE = 600.0


@attrs.frozen
class Times:
    """Seconds that requests took: half of them, 99 of 100, and all took no longer."""

    half: float
    most: float
    worst: float

    @classmethod
    def of(cls, seconds: list[float]) -> Times:
        """Return those of a list."""
        ordered = sorted(seconds)
        return cls(ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1])

    def __str__(self) -> str:
        return " ".join(f"{each * 1000:8.2f}" for each in (self.half, self.most, self.worst))


@attrs.frozen
class Measured:
    """What came of it.

    :param growth: KiB by which the daemon grew at most beyond what it had when idle.
    :param size: octets that the slow reader got.
    :param seconds: that the transfer took.
    """

    growth: int
    size: int
    seconds: float
    alone: Times
    beside: Times


class _Memory:
    """Looks at a daemon now and then, from another thread."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._before = self._most = daemon.residentKiB()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(LOOK):
            self._most = max(self._most, self._daemon.residentKiB())

    def stop(self) -> int:
        """Return the growth in KiB."""
        self._over.set()
        self._thread.join()
        return self._most - self._before


def _timed(client: Http2Client) -> float:
    begun = time.monotonic()
    number = client.request("GET", "/bytes/100")
    answer = client.finish(number)
    seconds = time.monotonic() - begun
    if answer.status != 200 or len(answer.body) != 100:
        raise AssertionError(f"got {answer}")
    del client.answers[number]
    return seconds


def plain(daemon: Daemon, port: int, size: int) -> Measured:
    """Transfer so many octets to a client that takes `STEP` of them for each other request.

    :raises AssertionError: when an answer is wrong.
    """
    client = Http2Client(port)
    client.openConnection(16 * STEP)  # what the transfer has taken must leave room for others
    try:
        alone = [_timed(client) for _ in range(ALONE)]
        memory = _Memory(daemon)
        try:
            begun = time.monotonic()
            beside, got = _transfer(client, size)
            seconds = time.monotonic() - begun
        finally:
            growth = memory.stop()
    finally:
        client.close()
    return Measured(growth, got, seconds, Times.of(alone), Times.of(beside))


def _transfer(client: Http2Client, size: int) -> tuple[list[float], int]:
    number = client.request("GET", f"/bytes/{size}", greedy=False)
    answer = client.answers[number]
    beside = []
    got = 0
    while not answer.over:
        beside.append(_timed(client))
        body = bytes(answer.body)
        answer.body.clear()
        if body != (OCTETS * (len(body) // 256 + 2))[got % 256 :][: len(body)]:
            raise AssertionError(f"wrong octets after {got}")
        got += len(body)
        if not answer.over:
            client.openConnection(STEP)
            client.openStream(number, STEP, greedy=False)
    return beside, got + len(answer.body)


def grpc(daemon: Daemon, port: int, check: str) -> Measured:
    """Do the same with a stream of a gRPC call, between a client and a server of grpcio.

    :param check: of `grpcpeer`.
    :raises AssertionError: when the client complains.
    """
    client = subprocess.Popen(
        [sys.executable, PEER, "client", str(port), check],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert client.stdout is not None
        first = client.stdout.readline()
        memory = _Memory(daemon)
        try:
            begun = time.monotonic()
            printed = first + client.communicate(timeout=PATIENCE)[0]
            seconds = time.monotonic() - begun
        finally:
            growth = memory.stop()
    finally:
        client.kill()
        client.wait()
    if client.returncode or not first.startswith("begin"):
        raise AssertionError(f"{printed}\n{daemon.output[-2000:]}")
    words = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    alone, beside = (Times(*map(float, words[each])) for each in ("alone", "beside"))
    return Measured(growth, int(words["took"][0]), seconds, alone, beside)


def startGrpc(port: int) -> Running:
    """Start a server of grpcio."""
    return Running([sys.executable, PEER, "server", str(port)], port)


def main() -> int:
    """Do both with 1 GiB and with each engine, and print what came of it."""
    sys.stdout.write(
        f"{'':12} {'MiB':>5} {'s':>6} {'RSS KiB':>8} {'alone ms: p50, p99, worst':>27}"
        f" {'beside ms: p50, p99, worst':>28}\n"
    )
    with tempfile.TemporaryDirectory() as directory:
        port, grpcPort = freePort(), freePort()
        servers = [startUvicorn(port, directory), startGrpc(grpcPort)]
        try:
            for engine in (NGH2, H2):
                hops = Hop("web", port, onward="Http1"), Hop("grpc", grpcPort)
                _row(f"{engine} plain", engine, hops[0], lambda d, p: plain(d, p, 1 << 30))
                _row(f"{engine} gRPC", engine, hops[1], lambda d, p: grpc(d, p, "slowGibibyte"))
        finally:
            for server in servers:
                server.stop(signal.SIGKILL)
    return 0


def _row(name: str, engine: str, hop: Hop, do: Callable[[Daemon, int], Measured]) -> None:
    daemon = startSidecar(engine, hop)
    try:
        got = do(daemon, hop.port)
    finally:
        daemon.stop()
    sys.stdout.write(
        f"{name:12} {got.size >> 20:>5} {got.seconds:>6.1f} {got.growth:>8} {got.alone} "
        f" {got.beside}\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
