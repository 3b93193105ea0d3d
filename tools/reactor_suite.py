"""Run Twisted's own tests of reactors on ours and on the stock one, and compare.

`python tools/reactor_suite.py` runs them in three processes, one per subject:

- `epoll`: Twisted's reactor and transports, the yardstick;
- `transports`: Twisted's reactor with the transports of `mosntx.net.transports`;
- `mosntx`: our reactor with these transports.

A test that passes on the yardstick and not on another subject is a difference. Each has to stand
in `DIFFERENCES` with its reason, and each that stands there has to be one: the exit code is 1
otherwise. Names of tests behind the command, or parts of names, run only these.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import AF_INET, AF_INET6, AF_UNIX
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, settings
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.interfaces import IListeningPort
from twisted.internet.main import installReactor
from twisted.trial import reporter
from twisted.trial.runner import TestLoader, TrialSuite
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.transports import TcpConnector, TcpServer, UnixConnector, UnixServer, useDirect
from mosntx.service.reactor import Reactor

#: Tests that pass on the stock reactor only: by subject, the end of their names, and why.
DIFFERENCES: dict[str, dict[str, str]] = {
    "mosntx": {
        "test_logPrefix": "no log context is set up per read: that is what the reactor is for",
    },
}

#: Modules beside those of `twisted.internet.test`: they run on the installed reactor.
MODULES = (
    "twisted.test.test_tcp",
    "twisted.test.test_tcp_internals",
    "twisted.test.test_internet",
    "twisted.test.test_ssl",
    "twisted.test.test_sslverify",
    "twisted.test.test_unix",
    "twisted.test.test_udp",
    "twisted.test.test_abstract",
    "twisted.test.test_stdio",
    "twisted.test.test_process",
    "twisted.test.test_threads",
    "twisted.test.test_protocols",
    "twisted.protocols.test.test_tls",
)

#: Ends of tests that did not fail.
PEACEFUL = ("ok", "skipped", "expected failure")

#: Seconds for one subject: a minute or two on a quiet machine, ten on a busy one.
TIMEOUT = 1800


class WithTransports:
    """Mixed in before an epoll reactor: every port and connector has our transports."""

    def listenTCP(self, *arguments: Any, **options: Any) -> Any:
        """See ``IReactorTCP``."""
        return self._direct(super().listenTCP(*arguments, **options))  # type: ignore[misc]

    def listenUNIX(self, *arguments: Any, **options: Any) -> Any:
        """See ``IReactorUNIX``."""
        return self._direct(super().listenUNIX(*arguments, **options))  # type: ignore[misc]

    def adoptStreamPort(self, *arguments: Any) -> Any:
        """See ``IReactorSocket``."""
        return self._direct(super().adoptStreamPort(*arguments))  # type: ignore[misc]

    def adoptStreamConnection(self, descriptor: int, family: int, factory: Any) -> Any:
        """See ``IReactorSocket``."""
        made: Any
        unixServer: Any = UnixServer
        tcpServer: Any = TcpServer
        if family == AF_UNIX:
            made = unixServer._fromConnectedSocket(descriptor, factory, self)
        elif family in (AF_INET, AF_INET6):
            made = tcpServer._fromConnectedSocket(descriptor, family, factory, self)
        else:
            made = super().adoptStreamConnection(descriptor, family, factory)  # type: ignore[misc]
        return made

    def connectTCP(
        self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> Any:
        """See ``IReactorTCP``."""
        made: Any = TcpConnector(host, port, factory, timeout, bindAddress, self)
        made.connect()
        return made

    def connectUNIX(self, path: Any, factory: Any, timeout: float = 30, checkPID: int = 0) -> Any:
        """See ``IReactorUNIX``."""
        make: Any = UnixConnector
        made = make(path, factory, timeout, self, checkPID)
        made.connect()
        return made

    def _direct(self, port: IListeningPort) -> IListeningPort:
        useDirect(port, self)
        return port


class StockWithTransports(WithTransports, EPollReactor):
    """Twisted's reactor, our transports."""


class OwnWithTransports(WithTransports, Reactor):
    """Our reactor and transports."""


SUBJECTS: dict[str, type[EPollReactor]] = {
    "epoll": EPollReactor,
    "transports": StockWithTransports,
    "mosntx": OwnWithTransports,
}

# Twisted knows reactors by the names of their classes: `test_lostFileDescriptor` would wait for
# what no epoll reactor can notice, and is skipped for this name.
# Child processes of its tests install the reactor by the name of the module of the class.
for _subject in SUBJECTS.values():
    _subject.__name__ = "EPollReactor"
StockWithTransports.__module__ = EPollReactor.__module__
OwnWithTransports.__module__ = Reactor.__module__


class Outcomes(reporter.TestResult):
    """Notes how each test ended.

    :ivar ended: name of the test -> ``ok``, ``skipped``, or what went wrong.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted's
        self.ended: dict[str, str] = {}

    def startTest(self, test: Any) -> None:
        """See ``IReporter``."""
        super().startTest(test)  # type: ignore[no-untyped-call]  # Twisted's
        self.ended[test.id()] = "ok"

    def addSkip(self, test: Any, reason: Any) -> None:
        """See ``IReporter``."""
        self.ended[test.id()] = "skipped"

    def addFailure(self, test: Any, fail: Any) -> None:
        """See ``IReporter``."""
        self.ended[test.id()] = str(fail)

    def addError(self, test: Any, error: Any) -> None:
        """See ``IReporter``."""
        self.ended[test.id()] = str(error)

    def addExpectedFailure(self, test: Any, failure: Any, todo: Any = None) -> None:
        """See ``IReporter``."""
        self.ended[test.id()] = "expected failure"


def casesOf(module: ModuleType, reactor: type[EPollReactor]) -> Iterator[type]:
    """Yield the test cases of a module of Twisted's; those per reactor only for the given one."""
    from twisted.internet.test.reactormixins import ReactorBuilder

    for name, case in sorted(vars(module).items()):
        if not isinstance(case, type) or not issubclass(case, SynchronousTestCase):
            continue
        if not issubclass(case, ReactorBuilder):
            if case.__module__ == module.__name__:
                yield case
        elif name.endswith("_EPollReactorTests"):
            settings = {"reactorFactory": reactor, "__module__": module.__name__}
            yield type(name.removesuffix("_EPollReactorTests"), (case,), settings)


def modules() -> Iterator[ModuleType]:
    """Yield the modules of tests."""
    import twisted.internet.test as package

    inside = [f"{package.__name__}.{each.name}" for each in pkgutil.iter_modules(package.__path__)]
    for name in [*inside, *MODULES]:
        if name.rpartition(".")[2].startswith("test_"):
            yield importlib.import_module(name)


def runSubject(name: str, wanted: list[str], target: Path) -> None:
    """Run the tests in this process, and write how they ended."""
    reactor = SUBJECTS[name]
    installReactor(reactor())
    # How fast a loaded machine makes examples says nothing about reactors.
    settings.register_profile("suite", suppress_health_check=list(HealthCheck), deadline=None)
    settings.load_profile("suite")
    loader, suite = TestLoader(), TrialSuite()
    for module in modules():
        for case in casesOf(module, reactor):
            for test in loader.loadClass(case):
                if not wanted or any(each in test.id() for each in wanted):
                    suite.addTest(test)
    outcomes = Outcomes()
    suite.run(outcomes)
    target.write_text(json.dumps(outcomes.ended), encoding="utf-8")


def runApart(name: str, wanted: list[str]) -> dict[str, str]:
    """Run the tests on a subject, in a process and a folder of its own.

    :returns: see `Outcomes.ended`.
    :raises SystemExit: when it does not get to an end; with the last it said.
    :raises subprocess.TimeoutExpired: when that takes longer than `TIMEOUT`.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "outcomes"
        command = [sys.executable, str(Path(__file__).resolve()), "--subject", name, str(target)]
        said = Path(folder) / "said"  # what the tests log; their outcomes say what went wrong
        with said.open("wb") as output:
            subprocess.run(
                [*command, *wanted],
                cwd=folder,
                timeout=TIMEOUT,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if not target.exists():
            raise SystemExit(f"{name} came to no end:\n{said.read_text(errors='replace')[-3000:]}")
        ended: dict[str, str] = json.loads(target.read_text(encoding="utf-8"))
        return ended


def findDifferences(stock: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    """Return the tests that only the stock reactor passes, and how they ended on the other.

    A test that did not run at all is one of them.
    """
    return {
        test: other.get(test, "did not run")
        for test, outcome in stock.items()
        if outcome == "ok" and other.get(test) != "ok"
    }


def judge(found: dict[str, str], reasons: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the differences without a reason, and the reasons without a difference."""
    unknown = {
        test: outcome
        for test, outcome in found.items()
        if not any(test.endswith(f".{each}") for each in reasons)
    }
    idle = [each for each in reasons if not any(test.endswith(f".{each}") for test in found)]
    return unknown, idle


def tally(ended: dict[str, str]) -> str:
    """Say how many tests ended in which way; ``failed`` are all that are no known way."""
    ways = Counter(each if each in PEACEFUL else "failed" for each in ended.values())
    return ", ".join(f"{number} {way}" for way, number in ways.most_common())


def main(arguments: list[str]) -> int:
    """Run all subjects, print what differs, and return the exit code."""
    if arguments[:1] == ["--subject"]:
        runSubject(arguments[1], arguments[3:], Path(arguments[2]))
        return 0
    with ThreadPoolExecutor() as together:  # some tests mostly wait
        outcomes = dict(
            zip(SUBJECTS, together.map(lambda n: runApart(n, arguments), SUBJECTS), strict=True)
        )
    stock = outcomes.pop("epoll")
    print(f"epoll: {tally(stock)}")
    wrong = 0
    for name, other in outcomes.items():
        print(f"{name}: {tally(other)}")
        found = findDifferences(stock, other)
        unknown, idle = judge(found, DIFFERENCES.get(name, {}))
        for test in sorted(found.keys() - unknown.keys()):
            print(f"  expected to differ: {test}")
        for test, outcome in sorted(unknown.items()):
            print(f"  passes on the stock reactor only: {test}\n{outcome}")
        for each in idle if not arguments else []:
            print(f"  does not differ any more: {each}")
            wrong += 1
        wrong += len(unknown)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
