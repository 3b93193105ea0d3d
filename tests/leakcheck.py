"""A pytest plugin: a test that leaves something behind has failed.

Looked for once a test, its fixtures and its instance are gone: open sockets, sockets and files
that only their destructor closed, delayed calls and selectables of the reactor, and errors
that nobody handled. A test that failed by itself is cleaned up after, but not blamed twice: its
traceback keeps its objects alive.
"""

from __future__ import annotations

import gc
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

# How often, and how long in seconds, to wait for a thread that is about to close its socket.
SETTLE_ROUNDS = 20
SETTLE_PAUSE = 0.025


@attrs.frozen
class Snapshot:
    """What is open at one moment.

    :param sockets: descriptor number -> inode of each open socket.
    :param calls: pending delayed calls of the global reactor.
    :param selectables: what the global reactor watches.
    """

    sockets: dict[int, int]
    calls: list[Any]
    selectables: list[Any]


STATE = pytest.StashKey[Snapshot]()
FAILED = pytest.StashKey[bool]()


def openSockets() -> dict[int, int]:
    """Return descriptor number -> inode of every socket this process has open."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    found = {}
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):
            with suppress(OSError):  # the listing's own descriptor is closed by now
                status = os.fstat(int(name))
                if stat.S_ISSOCK(status.st_mode):
                    found[int(name)] = status.st_ino
    return found


def describeSocket(number: int) -> str:
    """Return a socket's family and addresses in words.

    :param number: its descriptor, which stays open.
    """
    with suppress(OSError), socket.socket(fileno=os.dup(number)) as copy:
        peer: object = "nobody"
        with suppress(OSError):
            peer = copy.getpeername()
        return f"{copy.family.name} socket {copy.getsockname()!r} connected to {peer!r}"
    return f"socket with descriptor {number}"


def globalReactor() -> Any:
    """Return the global reactor if something installed it, else None."""
    return sys.modules.get("twisted.internet.reactor")


def takeSnapshot() -> Snapshot:
    """Return what is open now."""
    reactor = globalReactor()
    if reactor is None:
        return Snapshot(openSockets(), [], [])
    own: set[Any] = getattr(reactor, "_internalReaders", set())
    selectables = [each for each in reactor.getReaders() + reactor.getWriters() if each not in own]
    return Snapshot(openSockets(), list(reactor.getDelayedCalls()), selectables)


def leakedSockets(before: Snapshot) -> list[int]:
    """Return the descriptors of sockets that were not open before.

    A thread of the test may still be closing one, so this looks again for a while.
    """
    for _ in range(SETTLE_ROUNDS):
        leaked = [
            number for number, inode in openSockets().items() if before.sockets.get(number) != inode
        ]
        if not leaked:
            break
        threading.Event().wait(SETTLE_PAUSE)
    return leaked


def cleanReactor(before: Snapshot) -> Iterator[str]:
    """Take back what the test left in the reactor, and yield a sentence for each piece."""
    reactor, after = globalReactor(), takeSnapshot()
    for call in after.calls:
        if call not in before.calls and call.active():
            yield f"left in the reactor: {call}"
            call.cancel()
    for each in after.selectables:
        if each not in before.selectables:
            yield f"left in the reactor: {each!r}"
            reactor.removeReader(each)
            reactor.removeWriter(each)


@implementer(ILogObserver)
@attrs.frozen
class ErrorObserver:
    """Collects the errors that are logged, such as one at the end of a Deferred.

    :param problems: gets a sentence for each.
    """

    problems: list[str]

    def __call__(self, event: LogEvent) -> None:
        """See `ILogObserver`."""
        if "log_failure" in event:
            self.problems.append(f"error that nobody handled: {event['log_failure']}")


@contextmanager
def watchingForErrors(problems: list[str]) -> Generator[None]:
    """Collect what is logged as an error, or raised where nobody can catch it.

    The settings make a ResourceWarning an error, so a socket or file that is closed by its
    destructor shows up here.

    :param problems: gets a sentence for each.
    """

    def raised(unraisable: Any) -> None:
        problems.append(f"raised in a destructor: {unraisable.exc_value!r}")

    observer = ErrorObserver(problems)
    before: Callable[[Any], Any] = sys.unraisablehook
    globalLogPublisher.addObserver(observer)
    sys.unraisablehook = raised
    try:
        yield
    finally:
        sys.unraisablehook = before
        globalLogPublisher.removeObserver(observer)


def pytest_collection_finish() -> None:
    """Move everything imported so far out of the collector's sight: the check stays cheap."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Remember what is open once the fixtures are ready."""
    yield
    item.stash[STATE] = takeSnapshot()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test failed by itself."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Look for what is left once the fixtures and the test's instance are gone, take it back."""
    problems: list[str] = []
    instance = getattr(item, "instance", None)
    with watchingForErrors(problems):
        yield
        if instance is not None:  # made while collecting: out of the collector's sight
            vars(instance).clear()
        before = item.stash.get(STATE, None)
        if before is None:  # its fixtures failed: it never ran
            return
        problems.extend(cleanReactor(before))
        gc.collect()
    problems.extend(f"left open: {describeSocket(number)}" for number in leakedSockets(before))
    if problems and not item.stash.get(FAILED, False):
        pytest.fail("\n".join(problems), pytrace=False)
