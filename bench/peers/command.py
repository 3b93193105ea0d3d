"""Any other proxy, given by its command line: ``--command NAME='cmd … {port} …'``."""

from __future__ import annotations

import shlex
import string

from bench.peers.base import Peer
from bench.peers.mosntx import writeConfig
from bench.place import Place
from bench.programs import findProgram

#: What may stand in braces in a command line.
FIELDS = ("port", "upstream_host", "upstream_port", "config", "folder")


class CommandPeer(Peer):
    """A candidate made from the command line of the harness.

    ``{port}`` is where it has to listen on 127.0.0.1, ``{upstream_host}`` and ``{upstream_port}``
    where to forward to, ``{config}`` the path of a configuration in MOSN's schema that says just
    that, ``{folder}`` a directory of its own. ``{{`` and ``}}`` stand for braces.

    :param label: its name in the tables.
    :param line: the command line, split as a shell would do.
    :raises ValueError: when the line is empty, badly quoted, or has another field in braces.
    """

    install = "check the command line given"
    program = ""

    def __init__(self, label: str, line: str) -> None:
        super().__init__()
        self.label = label
        self._words = shlex.split(line)
        if not self._words:
            raise ValueError(f"--command {label}: the command line is empty")
        for word in self._words:
            for _, field, _, _ in string.Formatter().parse(word):
                if field is not None and field not in FIELDS:
                    known = ", ".join(f"{{{name}}}" for name in FIELDS)
                    raise ValueError(
                        f"--command {label}: unknown field {{{field}}}; known are {known}"
                    )

    def executable(self) -> str | None:
        """See `Peer.executable`."""
        return findProgram(self._words[0])

    def unsupported(self, legs: tuple[str, ...]) -> str | None:
        """See `Peer.unsupported`: nothing is known about it, so it may try everything."""
        return None

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        fields = {
            "port": place.port,
            "upstream_host": place.upstreamHost,
            "upstream_port": place.upstreamPort,
            "config": writeConfig(place),
            "folder": place.folder,
        }
        words = [word.format(**fields) for word in self._words]
        return [findProgram(words[0]) or words[0], *words[1:]]
