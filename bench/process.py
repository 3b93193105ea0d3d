"""Processes of a run: pinned to a core, watched, and ended whatever happens."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

#: Seconds a process has to accept its first connection; mitmproxy needs several.
START_TIMEOUT = 20.0
#: Seconds between SIGTERM and SIGKILL.
GRACE = 3.0
#: Seconds between two looks at a process that is starting.
POLL = 0.05
#: Lines of a log that are shown when a process failed.
TAIL_LINES = 15

_GUARD = Path(__file__).with_name("guard.py")


class ProcessError(Exception):
    """A process could not be started, ended too early, or took too long."""


class Ports:
    """Gives TCP ports of 127.0.0.1 that nobody uses at this moment, each only once.

    They are below the range the kernel takes local ports from (32768 up): thousands of idle
    connections cannot occupy one, and a connect to a port nobody listens on yet cannot meet itself.

    :param start: where to begin; runs at the same time begin at different places.
    """

    FIRST, END = 20_000, 32_000

    __slots__ = ("_candidates",)

    def __init__(self, start: int) -> None:
        self._candidates = self.candidates(start)

    @classmethod
    def candidates(cls, start: int) -> Iterator[int]:
        """Return all ports of the range once, from a place that depends on `start`."""
        middle = cls.FIRST + start % (cls.END - cls.FIRST)
        return itertools.chain(range(middle, cls.END), range(cls.FIRST, middle))

    def take(self) -> int:
        """Return the next free port.

        :raises ProcessError: when none is left.
        """
        for port in self._candidates:
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            return port
        raise ProcessError("no free port on 127.0.0.1")


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """Return the last `lines` lines of a log, or a remark when there is none."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        text = ""
    return "\n".join(text.splitlines()[-lines:]) or "(it wrote nothing)"


def raiseFileLimit(wanted: int) -> int:
    """Raise this process's limit of open files, children inherit it.

    :param wanted: descriptors one process of the run may need.
    :return: the limit now in force; it may be lower than `wanted`.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((max(wanted, hard), max(wanted, hard)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        except (ValueError, OSError):
            continue
        break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _tell(guard: int | None, sign: bytes, pid: int) -> None:
    """Tell the guard of a process; without a guard, or when it was killed, nothing happens."""
    if guard is not None:
        with suppress(OSError):
            os.write(guard, b"%b%d\n" % (sign, pid))


def _preparation(core: int | None, guard: int | None) -> Callable[[], None]:
    """Return what a child does before it becomes its program.

    It reports itself to the guard, so that there is no moment when nobody knows of it, and moves
    to its core.
    """

    def prepare() -> None:
        _tell(guard, b"+", os.getpid())
        if core is not None:
            os.sched_setaffinity(0, {core})

    return prepare


class Child:
    """One process with everything below it; standard output and error go to a log file.

    :param name: names the process in messages, and its log file.
    :param command: program and arguments.
    :param folder: working directory, holds the log file.
    :param core: the core it is pinned to; None for any.
    :param extra: environment variables besides our own.
    :param guard: the descriptor on which the guard hears of new processes.
    :raises ProcessError: when the program cannot be executed.
    """

    __slots__ = ("_process", "log", "name")

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        core: int | None = None,
        extra: Mapping[str, str] | None = None,
        guard: int | None = None,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    list(command),
                    cwd=folder,
                    env={**os.environ, **(extra or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Its own session, so that one signal reaches all that it forks.
                    start_new_session=True,
                    preexec_fn=_preparation(core, guard),
                )
            except OSError as error:
                raise ProcessError(f"{name}: cannot run {command[0]}: {error}") from error

    @property
    def pid(self) -> int:
        """The process id; it is the id of the process group, too."""
        return self._process.pid

    def ended(self) -> int | None:
        """Return the exit status, None while it runs."""
        return self._process.poll()

    def waitForPort(self, port: int, timeout: float = START_TIMEOUT) -> None:
        """Return as soon as 127.0.0.1:`port` accepts connections.

        :raises ProcessError: when the process ends before or `timeout` seconds are over; the text
            has the last lines of its log.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.ended() is not None:
                raise self.failure(f"ended with status {self.ended()} while starting")
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
            except OSError:
                self._pause()
            else:
                return
        raise self.failure(f"does not listen on port {port} after {timeout:.0f} s")

    def _pause(self) -> None:
        """Wait a moment, or until the process ends."""
        try:
            self._process.wait(POLL)
        except subprocess.TimeoutExpired:
            return

    def wait(self, timeout: float) -> str:
        """Wait for the end of a process that ends by itself.

        :return: what it wrote.
        :raises ProcessError: when it takes longer than `timeout` or fails.
        """
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.failure(f"still runs after {timeout:.0f} s") from None
        if status != 0:
            raise self.failure(f"ended with status {status}")
        return self.log.read_text(errors="replace")

    def failure(self, what: str) -> ProcessError:
        """Return an error that says `what` happened and ends with the last lines of the log."""
        return ProcessError(f"{self.name}: {what}; its last lines:\n{tail(self.log)}")

    def park(self) -> None:
        """Stop the process, so that it cannot use a core while another one is measured."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a parked process run again."""
        self._signal(signal.SIGCONT)

    def end(self, grace: float = GRACE) -> None:
        """End the process and all that it forked; harmless when it is gone already."""
        self._signal(signal.SIGTERM)
        # A parked process acts on SIGTERM only after it runs again.
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        # The leader is gone; what it forked may not be.
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return


class Nursery:
    """Owns all processes of a run and ends them on leaving, the youngest first.

    While it is open, SIGTERM and SIGHUP leave the program through the usual clean-up. A second
    process, the guard, does what is left to do when the program is killed.

    :param folder: the run's directory; the guard removes it, too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self._previous: dict[signal.Signals, signal.Handlers | int | Callable[..., object]] = {}

    def __enter__(self) -> Self:
        """Start the guard and take over the signals that end a program."""
        command = [sys.executable, str(_GUARD), str(self._folder)]
        self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._previous[number] = signal.signal(number, _leave) or signal.SIG_DFL
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every child; a second signal meanwhile does not keep one alive."""
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in self._previous:
            signal.signal(number, signal.SIG_IGN)
        while self._children:
            self.end(self._children[-1])
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
        signal.signal(signal.SIGINT, interrupt)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def start(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        core: int | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a process that is ended with the nursery, see `Child`."""
        child = Child(name, command, folder, core, extra, self._guardInput())
        self._children.append(child)
        return child

    def _guardInput(self) -> int | None:
        """Return the descriptor the guard reads from, None outside of ``with``."""
        if self._guard is None or self._guard.stdin is None:
            return None
        return self._guard.stdin.fileno()

    def end(self, child: Child) -> None:
        """End one child before the others."""
        child.end()
        self._children.remove(child)
        _tell(self._guardInput(), b"-", child.pid)

    def run(
        self, name: str, command: Sequence[str], folder: Path, core: int | None, timeout: float
    ) -> str:
        """Run a program to its end and return what it wrote.

        :raises ProcessError: when it fails or takes longer than `timeout` seconds.
        """
        child = self.start(name, command, folder, core)
        try:
            return child.wait(timeout)
        finally:
            self.end(child)


def _leave(number: int, frame: FrameType | None) -> None:
    """Turn a signal into the exception that unwinds everything."""
    raise SystemExit(128 + number)
