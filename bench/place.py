"""Where one process of a candidate runs: the facts its command line and configuration need."""

from __future__ import annotations

from pathlib import Path

import attrs

#: The protocols a leg can have. A scenario names one per leg; a peer says which it speaks.
HTTP1 = "http1"
H2C = "h2c"
BOLT = "bolt"


@attrs.frozen
class Place:
    """The surroundings of one proxy process.

    :param port: the port of 127.0.0.1 it listens on.
    :param upstreamPort: the port of `upstreamHost` it forwards to.
    :param folder: an empty directory of its own for configuration and logs.
    :param downstream: the protocol its clients speak.
    :param upstream: the protocol its upstream speaks.
    :param connections: the most downstream connections the scenario opens.
    """

    port: int
    upstreamPort: int
    folder: Path
    downstream: str = HTTP1
    upstream: str = HTTP1
    connections: int = 64
    upstreamHost: str = "127.0.0.1"

    @property
    def upstreamAddress(self) -> str:
        """The upstream as ``host:port``."""
        return f"{self.upstreamHost}:{self.upstreamPort}"

    def write(self, name: str, text: str) -> str:
        """Write a file into the folder and return its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)
