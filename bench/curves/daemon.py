"""The daemon of a point: started, looked at through its admin API, ended."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import attrs

from bench import procfs
from bench.curves.points import Point, document, placeOf
from bench.peers.mosntx import Mosntx
from bench.process import Nursery, Ports, ProcessError

#: The listener in the statistics. Asked for by itself: those of a thousand hosts take a while.
SCOPE = "listener.bench"
#: Seconds an answer of the admin API may take; under load it waits for its turn.
PATIENCE = 20.0


@attrs.frozen
class Counts:
    """What a daemon, or several, had done at some moment.

    :param requests: so far.
    :param good: those answered with 200, or with success.
    :param connections: open now.
    :param cpu: seconds of CPU time so far.
    """

    requests: int
    good: int
    connections: int
    cpu: float

    def __add__(self, other: Counts) -> Counts:
        """Return what two daemons did together."""
        return Counts(
            self.requests + other.requests,
            self.good + other.good,
            self.connections + other.connections,
            self.cpu + other.cpu,
        )

    def __sub__(self, earlier: Counts) -> Counts:
        """Return what was done since; connections are those open now."""
        return Counts(
            self.requests - earlier.requests,
            self.good - earlier.good,
            self.connections,
            self.cpu - earlier.cpu,
        )


def readStats(stats: Any, cpu: float) -> Counts:
    """Return the counts of the listener from what ``/api/v1/stats`` says.

    :raises ProcessError: when a figure is missing.
    """
    try:
        listener = stats["downstream"][SCOPE]
        return Counts(
            int(listener["request_total"]),
            int(listener["request_200_total"]),
            int(listener["connection_active"]),
            cpu,
        )
    except (LookupError, TypeError, ValueError):
        raise ProcessError(f"no listener in the statistics: {str(stats)[:200]}") from None


class Daemon:
    """One process.

    :param port: where it listens on 127.0.0.1.
    :raises ProcessError: when mosntx is not installed or does not start.
    """

    def __init__(
        self,
        nursery: Nursery,
        ports: Ports,
        point: Point,
        port: int,
        upstreamPort: int,
        folder: Path,
        core: int | None,
    ) -> None:
        self._admin = ports.take()
        own = folder / f"daemon-{self._admin}"
        own.mkdir()
        place = placeOf(point, port, upstreamPort, own)
        path = place.write("mosn.json", json.dumps(document(point, place, self._admin)))
        twistd = Mosntx().executable()
        if twistd is None:
            raise ProcessError(f"mosntx is not installed: {Mosntx.install}")
        command = [twistd, "-n", "--pidfile=", "mosn", "--config", path]
        self.child = nursery.start("mosntx", command, own, core)
        # Not of the listener: with several daemons on its port another one may answer there.
        self.child.waitForPort(self._admin)

    def counts(self) -> Counts:
        """Ask it what it has done.

        :raises ProcessError: when it does not answer.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._admin, timeout=PATIENCE)
        try:
            connection.request("GET", f"/api/v1/stats?key=downstream.{SCOPE}")
            stats = json.loads(connection.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self.child.failure(f"does not say its statistics: {error!r}") from error
        finally:
            connection.close()
        return readStats(stats, procfs.cpuSeconds([self.child.pid]))
