"""What a peer is: a proxy the harness can find, configure and start."""

from __future__ import annotations

import abc
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from bench.place import HTTP1, Place
from bench.programs import ask, findProgram, firstLine

#: Where the peers that are Python scripts live. They import nothing of ours.
SCRIPTS = Path(__file__).with_name("scripts")


class Peer(abc.ABC):
    """A proxy that can be a candidate of a run.

    A subclass says how to install it, which protocols it speaks, and how one process of it is
    started at a `Place`. The process has to stay in the foreground, use one thread of work,
    keep connections alive on both sides for an hour, and write no access log.

    :param program: the executable to use instead of the one that is found.
    """

    #: The name in options, tables and JSON.
    name: ClassVar[str]
    #: The program that is looked for.
    program: ClassVar[str]
    #: How to install it, shown when it is missing.
    install: ClassVar[str]
    #: Protocols it takes from clients, and protocols it speaks to upstreams.
    front: ClassVar[frozenset[str]] = frozenset({HTTP1})
    back: ClassVar[frozenset[str]] = frozenset({HTTP1})

    def __init__(self, program: str | None = None) -> None:
        self._program = program

    def executable(self) -> str | None:
        """Return the path of the program, None when there is none."""
        return findProgram(self._program or self.program)

    def missing(self) -> str | None:
        """Return why it cannot be used, with the way to install it; None when it can."""
        if self.executable() is None:
            return f"not installed: {self.install}"
        return None

    def unsupported(self, legs: tuple[str, ...]) -> str | None:
        """Return why it cannot take part in a scenario with these `legs`, None when it can."""
        fronts, backs = set(legs[:-1]) - self.front, set(legs[1:]) - self.back
        if fronts:
            return f"does not take {', '.join(sorted(fronts))} from clients"
        if backs:
            return f"does not speak {', '.join(sorted(backs))} to upstreams"
        return None

    @abc.abstractmethod
    def command(self, place: Place) -> list[str]:
        """Write what configuration is needed into ``place.folder``; return the command line."""

    def environment(self, place: Place) -> Mapping[str, str]:
        """Return variables its process needs besides our own."""
        return {}

    def version(self) -> str:
        """Return one line that names the version, empty when it does not say."""
        return ""

    def _askVersion(self, *arguments: str) -> str:
        """Return the first line the program writes for `arguments`."""
        program = self.executable()
        status, text = ask([program, *arguments]) if program else (-1, "")
        return firstLine(text) if status == 0 else ""


class PythonPeer(Peer):
    """A peer that is a Python program; ``--binary NAME=PYTHON`` runs it on another interpreter."""

    program = sys.executable
    #: The modules it needs, and the distribution whose version it is.
    modules: ClassVar[tuple[str, ...]]
    distribution: ClassVar[str]

    def python(self) -> str:
        """Return the interpreter that runs it."""
        return self._program or sys.executable

    def missing(self) -> str | None:
        """See `Peer.missing`: the interpreter has to find the modules."""
        status, _ = ask([self.python(), "-c", f"import {', '.join(self.modules)}"])
        return None if status == 0 else f"not installed: {self.install}"

    def version(self) -> str:
        """See `Peer.version`."""
        code = (
            "import platform, importlib.metadata as m;"
            f"print({self.distribution!r}, m.version({self.distribution!r}),"
            " 'on', platform.python_implementation(), platform.python_version())"
        )
        status, text = ask([self.python(), "-c", code])
        return firstLine(text) if status == 0 else ""


def loadPeer(table: Mapping[str, str], name: str, program: str | None) -> Peer:
    """Make the peer called `name`.

    :param table: name to the module that has it as ``PEER``.
    :raises KeyError: when the table does not have it.
    """
    made = importlib.import_module(table[name]).PEER(program)
    assert isinstance(made, Peer)
    return made
