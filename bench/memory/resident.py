"""What a daemon's resident memory says: idle clients, and hosts with a connection each.

Transports, sockets' objects and holes of the allocator are in it, so it is what a machine has to
provide; the kernel's buffers are not.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import attrs

from bench import procfs
from bench.candidate import Candidate
from bench.curves.daemon import Daemon
from bench.curves.points import Point, hostAddresses
from bench.peers import PEERS
from bench.peers.base import loadPeer
from bench.place import HTTP1
from bench.process import Nursery, Ports, ProcessError
from bench.runner import Runner, folderFor
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Settings, Stage, loadScenario
from bench.scenarios.idle import BEFORE, PER_CONNECTION, settledMemory
from bench.upstream import makeBody, startUpstream

#: What is idle -> scenario and peer.
IDLE: Mapping[str, tuple[str, str]] = {
    "HTTP/1.1": ("idle", "mosntx"),
    "HTTP/2, ngh2": ("http2-idle", "mosntx"),
    "HTTP/2, h2": ("http2-idle", "mosntx-h2"),
    "Bolt": ("bolt-idle", "mosntx"),
}
BODY = 1024
#: Requests to each host: balancers that choose at random may leave none out.
TIMES = 2


@attrs.frozen
class Surroundings:
    """Where daemons run.

    :param core: of daemons; None for any.
    :param loadCore: of clients and upstreams.
    """

    nursery: Nursery
    ports: Ports
    folder: Path
    core: int | None
    loadCore: int | None


def idleClients(around: Surroundings, number: int) -> dict[str, tuple[float, float]]:
    """Return octets per idle client, and octets of the process before, by what is idle.

    :raises ProcessError: when something does not start, or a client is not served.
    """
    body, pause = makeBody(BODY), threading.Event().wait
    upstream = startUpstream(
        around.nursery, "nginx", body, around.folder, around.loadCore, around.ports
    )
    found = {}
    for name, (kind, peer) in IDLE.items():
        scenario = loadScenario(SCENARIOS, kind, Settings(idle=number))
        own = around.folder / name.replace("/", "-")
        own.mkdir()
        stage = Stage(
            around.nursery,
            folderFor(own, scenario),
            around.loadCore,
            around.core,
            body,
            pause,
        )
        runner = Runner(scenario, stage, around.ports, upstream.ports, _silent)
        candidate = Candidate(name.replace("/", "-"), loadPeer(PEERS, peer, None), scenario.legs)
        (outcome,) = runner.run([candidate], 1)
        each, before = outcome.median(PER_CONNECTION.key), outcome.median(BEFORE.key)
        if each is None or before is None:
            errors = [dict(sample.errors) for sample in outcome.samples]
            raise ProcessError(f"{name}: {outcome.problem or errors}")
        found[name] = each, before
    return found


def _silent(line: str) -> None:
    """Say nothing about progress."""


def hosts(around: Surroundings, number: int) -> tuple[float, float]:
    """Return octets per host: of a cluster that nobody has asked, and with a connection each.

    :param number: of hosts.
    :raises ProcessError: when something does not start.
    """
    folder = around.folder / "hosts"
    folder.mkdir()
    upstream = startUpstream(
        around.nursery,
        "nginx",
        makeBody(BODY),
        folder,
        around.loadCore,
        around.ports,
        hostAddresses(number),
    )
    sizes = []
    for each in (1, number):
        port = around.ports.take()
        daemon = Daemon(
            around.nursery,
            around.ports,
            Point(hosts=each),
            port,
            upstream.ports[HTTP1],
            folder,
            around.core,
        )
        unasked = _settled(daemon)
        _ask(port, each * TIMES)
        sizes.append((unasked, _settled(daemon)))
        around.nursery.end(daemon.child)
    (few, fewAsked), (many, manyAsked) = sizes
    return (many - few) / (number - 1), (manyAsked - fewAsked) / (number - 1)


def _settled(daemon: Daemon) -> int:
    """Return resident memory as soon as it stops changing."""
    return settledMemory(partial(procfs.memory, [daemon.child.pid]), threading.Event().wait).rss


def _ask(port: int, number: int) -> None:
    """Make requests, one after the other, on one connection.

    :raises ProcessError: when one is not answered.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
    try:
        for _ in range(number):
            connection.request("GET", "/")
            answer = connection.getresponse()
            if answer.status != 200:
                raise ProcessError(f"status {answer.status} instead of 200")
            answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ProcessError(f"a request was not answered: {error!r}") from error
    finally:
        connection.close()
