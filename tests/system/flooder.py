"""Sends floods at full speed, and has another client look at what that does.

``python -m tests.system.flooder`` prints a table for both engines.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import sys
import tempfile
import threading
import time
from typing import Self

import attrs

from mosntx.testing import h2frames as h2
from tests.system import floods
from tests.system.daemon import Daemon, freePort, startUvicorn
from tests.system.floods import Flood
from tests.system.http2client import Http2Client
from tests.system.sidecars import H2, NGH2, Hop, startSidecar

#: Seconds that an attacker goes on, or waits for its end.
LONGEST = 2.0
#: All floods there are.
GROUPS = (floods.resets, floods.blocks, floods.frames, floods.stalls)
#: Requests of the other client that are made at least.
LEAST = 20


@attrs.frozen
class Outcome:
    """What became of an attacker, and of the other client meanwhile.

    :param seconds: until its connection was ended; ``None`` when it was not.
    :param sent: octets that it could send.
    :param code: of the GOAWAY; ``None`` when none was seen.
    :param growth: KiB that the daemon grew by at the worst moment.
    :param asked: requests of the other client, which all succeeded.
    :param slowest: seconds that the slowest of them took.
    """

    seconds: float | None
    sent: int
    code: int | None
    growth: int
    asked: int
    slowest: float


class Bystander:
    """A client that asks one request after another on a connection of its own."""

    def __init__(self, port: int, daemon: Daemon) -> None:
        self._client = Http2Client(port)
        self._daemon = daemon
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._problem: BaseException | None = None
        self.asked = 0
        self.slowest = 0.0
        self.most = 0  # KiB of the daemon

    def __enter__(self) -> Self:
        for _ in range(LEAST):
            self._ask()
        self.asked, self.slowest = 0, 0.0
        self.most = self._daemon.residentKiB()
        self._thread.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            while not self._over.is_set() or self.asked < LEAST:
                self._ask()
        except BaseException as problem:
            self._problem = problem

    def _ask(self) -> None:
        begun = time.monotonic()
        answer = self._client.finish(self._client.request("GET", "/bytes/100"))
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if answer.status != 200 or len(answer.body) != 100:
            raise AssertionError(f"the other client got {answer}")
        self.asked += 1
        self.most = max(self.most, self._daemon.residentKiB())


class Attacker:
    """One connection that sends a flood.

    :ivar sent: octets that the socket has taken.
    :ivar ended: by the daemon.
    """

    def __init__(self, port: int, flood: Flood) -> None:
        self._flood = flood
        self._octets = memoryview(h2.PREFACE + flood.octets)
        self._received = bytearray()
        self._socket = socket.socket()
        # A small buffer on our side fills soon when we do not read.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setblocking(False)
        self.sent = 0
        self.ended = False

    def run(self, patience: float) -> float:
        """Send until the daemon ends it or time is over; return the seconds."""
        begun = time.monotonic()
        while not self.ended and (left := begun + patience - time.monotonic()) > 0:
            self._turn(left)
        seconds = time.monotonic() - begun
        if self._flood.stubborn:
            self._goOn(begun + patience)
        return seconds

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _goOn(self, until: float) -> None:
        """Send, whoever reads it."""
        rest = self._octets[-65536:]
        self._socket.settimeout(LONGEST)
        with contextlib.suppress(OSError):
            while time.monotonic() < until:
                self.sent += self._socket.send(rest)

    def _turn(self, left: float) -> None:
        writers = [self._socket] if self.sent < len(self._octets) else []
        poll = select.poll()
        # The end is seen without reading, too.
        wanted = select.POLLRDHUP | (select.POLLIN if self._flood.reads else 0)
        poll.register(self._socket, wanted | (select.POLLOUT if writers else 0))
        for _, event in poll.poll(left * 1000):
            try:
                if event & select.POLLIN:
                    part = self._socket.recv(1 << 16)
                    self._received += part
                    self.ended = not part
                elif event & (select.POLLRDHUP | select.POLLHUP | select.POLLERR):
                    self.ended = True
                    with contextlib.suppress(BlockingIOError):
                        while part := self._socket.recv(1 << 16):
                            self._received += part
                if event & select.POLLOUT and not self.ended:
                    self.sent += self._socket.send(self._octets[self.sent : self.sent + 65536])
            except OSError:
                self.ended = True

    @property
    def code(self) -> int | None:
        """The error code of the GOAWAY, if one was seen."""
        place = 0
        octets = self._received
        while place + 9 <= len(octets):
            size = int.from_bytes(octets[place : place + 3], "big")
            if octets[place + 3] == h2.GOAWAY:
                return int.from_bytes(octets[place + 13 : place + 17], "big")
            place += 9 + size
        return None


def flood(daemon: Daemon, port: int, what: Flood) -> Outcome:
    """Attack a daemon while another client asks it.

    :raises AssertionError: when the other client is not served.
    """
    with Bystander(port, daemon) as bystander:
        before = bystander.most
        attacker = Attacker(port, what)
        try:
            seconds = attacker.run(LONGEST)
            bystander.most = max(bystander.most, daemon.residentKiB())
        finally:
            attacker.close()
    return Outcome(
        seconds if attacker.ended else None,
        attacker.sent,
        attacker.code,
        bystander.most - before,
        bystander.asked,
        bystander.slowest,
    )


def row(engine: str, what: Flood, got: Outcome) -> str:
    """Return a line of the table."""
    cut = "stays" if got.seconds is None else f"{got.seconds * 1000:.0f} ms"
    frames = min(what.frames, round(what.frames * got.sent / len(what.octets)))
    code = "-" if got.code is None else str(got.code)
    return (
        f"{engine:5} {what.name:46} {cut:>8} {code:>6} {frames:>7} {got.sent // 1024:>9}"
        f" {got.growth:>7} {got.asked:>6} {got.slowest * 1000:>8.0f}\n"
    )


def main() -> int:
    """Make each flood with each engine, and print what happened."""
    sys.stdout.write(
        f"{'':5} {'flood':46} {'cut off':>8} {'GOAWAY':>6} {'frames':>7} {'sent KiB':>9}"
        f" {'RSS KiB':>7} {'others':>6} {'worst ms':>8}\n"
    )
    with tempfile.TemporaryDirectory() as directory:
        port = freePort()
        upstream = startUvicorn(port, directory)
        try:
            for engine in (NGH2, H2):
                _table(engine, port)
        finally:
            upstream.stop(signal.SIGKILL)
    return 0


def _table(engine: str, upstream: int) -> None:
    hop = Hop("back", upstream, onward="Http1")
    daemon = startSidecar(engine, hop)
    try:
        for group in GROUPS:
            for what in group():
                sys.stdout.write(row(engine, what, flood(daemon, hop.port, what)))
                sys.stdout.flush()
    finally:
        daemon.stop()


if __name__ == "__main__":
    sys.exit(main())
