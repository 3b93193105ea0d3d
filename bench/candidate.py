"""A candidate of a run: one or several processes of a peer between the clients and the upstream."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench import procfs
from bench.peers.base import Peer
from bench.place import Place
from bench.process import Child, Nursery, Ports, ProcessError


class Candidate:
    """A peer with its processes; several when the legs say that a request passes several proxies.

    :param name: its name in the tables.
    :param peer: how its processes are started.
    :param legs: the protocol of each leg, the clients' first: one process between any two.
    """

    __slots__ = ("_children", "legs", "name", "peer", "port", "upstreamPort")

    def __init__(self, name: str, peer: Peer, legs: tuple[str, ...]) -> None:
        self.name = name
        self.peer = peer
        self.legs = legs
        #: Where the clients connect; 0 while it does not run.
        self.port = 0
        #: Where its last process forwards to; 0 before it was started.
        self.upstreamPort = 0
        self._children: list[Child] = []

    def start(
        self,
        nursery: Nursery,
        ports: Ports,
        upstreams: Mapping[str, int],
        folder: Path,
        core: int | None,
        connections: int,
    ) -> None:
        """Start its processes, the one next to the upstream first.

        :param upstreams: protocol to port of the upstream.
        :raises ProcessError: when one does not start, or the upstream lacks the protocol.
        """
        if self.legs[-1] not in upstreams:
            raise ProcessError(f"the upstream does not speak {self.legs[-1]}: install nginx")
        self.upstreamPort = target = upstreams[self.legs[-1]]
        for hop in reversed(range(len(self.legs) - 1)):
            port = ports.take()
            own = folder / f"{self.name}-{port}"
            own.mkdir()
            place = Place(port, target, own, self.legs[hop], self.legs[hop + 1], connections)
            command = self.peer.command(place)
            variables = self.peer.environment(place)
            child = nursery.start(self.name, command, own, core, variables)
            self._children.append(child)
            child.waitForPort(port)
            target = port
        self.port = target

    def end(self, nursery: Nursery) -> None:
        """End its processes, the one next to the clients first."""
        while self._children:
            nursery.end(self._children.pop())
        self.port = 0

    def park(self) -> None:
        """Keep it off the core while another candidate is measured."""
        for child in self._children:
            child.park()

    def resume(self) -> None:
        """Let it run again."""
        for child in self._children:
            child.resume()

    def requireAlive(self) -> None:
        """Raise `ProcessError` when one of its processes has ended."""
        for child in self._children:
            status = child.ended()
            if status is not None:
                raise child.failure(f"ended with status {status} under load")

    def cpuSeconds(self) -> float:
        """Return the CPU time its processes have used so far."""
        return procfs.cpuSeconds(child.pid for child in self._children)

    def memory(self) -> procfs.Memory:
        """Return the memory its processes have now."""
        return procfs.memory(child.pid for child in self._children)
