"""The leak check itself: it catches what it should, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

LEAKY = '''
    """Tests that leave something behind, and some that do not."""

    from __future__ import annotations

    import socket

    from twisted.internet import defer, protocol, reactor, task, threads
    from twisted.trial import unittest

    KEPT = []


    class Plain(unittest.SynchronousTestCase):
        """Without a running reactor."""

        def test_keepsSocket(self):
            KEPT.append(socket.socket())

        def test_dropsSocket(self):
            socket.socket()

        def test_dropsSocketInCycle(self):
            pair = [socket.socket()]
            pair.append(pair)

        def test_keepsSocketOnInstance(self):
            self.socket = socket.socket()

        def test_delayedCall(self):
            reactor.callLater(60, KEPT.clear)

        def test_port(self):
            KEPT.append(reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1"))

        def test_unhandledError(self):
            defer.fail(ValueError("lost"))

        def test_unhandledErrorInCycle(self):
            deferred = defer.fail(ValueError("lost"))
            deferred.itself = deferred

        def test_unhandledErrorOnInstance(self):
            self.deferred = defer.fail(ValueError("lost"))

        def test_cleanSocket(self):
            with socket.socket() as mine:
                mine.bind(("127.0.0.1", 0))

        def test_cleanFlushedError(self):
            defer.fail(ValueError("expected"))
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


    class Running(unittest.TestCase):
        """With the running reactor."""

        def test_delayedCall(self):
            reactor.callLater(60, KEPT.clear)

        def test_port(self):
            KEPT.append(reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1"))

        def test_unhandledErrorInCycle(self):
            deferred = defer.fail(ValueError("lost"))
            deferred.itself = deferred

        def test_ownFailure(self):
            KEPT.append(socket.socket())
            return task.deferLater(reactor, 0, self.fail, "by itself")

        def test_cleanPort(self):
            port = reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")
            return port.stopListening()

        def test_cleanDeferred(self):
            return task.deferLater(reactor, 0.01, lambda: None)

        async def test_cleanCoroutine(self):
            self.assertEqual(await task.deferLater(reactor, 0, lambda: 3), 3)

        def test_cleanThread(self):
            return threads.deferToThread(socket.getaddrinfo, "127.0.0.1", 80)

        def test_cleanSkip(self):
            raise unittest.SkipTest("not here")
'''
OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR) \S*::(\w+)::(\w+)(?: - (.*))?$", re.MULTILINE)


def runLeaky(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the leaky tests with the real plugin and the real settings.

    :param folder: an empty folder to write them to.
    """
    (folder / "test_leaky.py").write_text(textwrap.dedent(LEAKY), encoding="utf-8")
    root = Path(__file__).parent.parent
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-rA", "-p", "tests.leakcheck"),
            *("-c", str(root / "pyproject.toml"), "--rootdir", str(folder)),
            *("-p", "no:cacheprovider", str(folder)),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


class LeakCheckTests(SynchronousTestCase):
    """One run of leaky tests, then a look at each verdict."""

    output: ClassVar[str] = ""
    verdicts: ClassVar[dict[tuple[str, str], set[str]]] = {}

    def setUp(self) -> None:
        if not self.verdicts:
            folder = Path(self.mktemp()).absolute()
            folder.mkdir(parents=True)
            type(self).output = runLeaky(folder).stdout
            for word, case, name, _ in OUTCOME.findall(self.output):
                self.verdicts.setdefault((case, name), set()).add(word)

    def assertCaught(self, case: str, name: str) -> None:
        """Fail unless the test failed or ended in an error."""
        self.assertTrue(self.verdicts[case, name] & {"FAILED", "ERROR"}, self.output)

    def test_socketLeftOpen(self) -> None:
        """A socket that somebody keeps is named with its address."""
        self.assertCaught("Plain", "test_keepsSocket")
        self.assertIn("left open: AF_INET socket", self.output)

    def test_socketClosedByCollector(self) -> None:
        """A socket nobody closed is a leak even when the collector closes it."""
        self.assertCaught("Plain", "test_dropsSocket")
        self.assertCaught("Plain", "test_dropsSocketInCycle")
        self.assertCaught("Plain", "test_keepsSocketOnInstance")

    def test_delayedCall(self) -> None:
        """A delayed call that is still pending is a leak, with and without a running reactor."""
        self.assertCaught("Plain", "test_delayedCall")
        self.assertCaught("Running", "test_delayedCall")

    def test_port(self) -> None:
        """A port that still listens is a leak, with and without a running reactor."""
        self.assertCaught("Plain", "test_port")
        self.assertCaught("Running", "test_port")

    def test_unhandledError(self) -> None:
        """An error at the end of a Deferred is caught however long the Deferred lives."""
        self.assertCaught("Plain", "test_unhandledError")
        self.assertCaught("Plain", "test_unhandledErrorInCycle")
        self.assertCaught("Plain", "test_unhandledErrorOnInstance")
        self.assertCaught("Running", "test_unhandledErrorInCycle")

    def test_failureIsNotBlamedTwice(self) -> None:
        """A test that fails by itself gets one verdict."""
        self.assertEqual(self.verdicts["Running", "test_ownFailure"], {"FAILED"})

    def test_cleanTestsPass(self) -> None:
        """Tests that clean up pass, under a running reactor too."""
        clean = {key: words for key, words in self.verdicts.items() if "clean" in key[1]}
        self.assertEqual(len(clean), 6, self.output)
        for key, words in clean.items():
            self.assertEqual(words, {"PASSED"}, (key, self.output))
