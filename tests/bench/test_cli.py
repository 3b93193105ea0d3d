"""Tests of how a run is put together."""

from __future__ import annotations

import contextlib
import datetime
import io
import json

from twisted.trial.unittest import SynchronousTestCase

from bench.cli import Cores, chooseCores, document, makePeers, settingsOf
from bench.options import parseOptions
from bench.peers.command import CommandPeer
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Settings, loadScenario
from bench.upstream import Upstream


class CoresTests(SynchronousTestCase):
    """Who is pinned where."""

    def choose(self, arguments: str, allowed: set[int]) -> tuple[Cores, str]:
        """Return the choice and what was said about it."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            cores = chooseCores(parseOptions(arguments.split()), allowed)
        return cores, said.getvalue()

    def test_default(self) -> None:
        """Candidates on core 1, the load on core 0, without a word."""
        self.assertEqual(self.choose("", {0, 1}), (Cores(1, 0, 0), ""))

    def test_upstream(self) -> None:
        """The upstream may have a core of its own."""
        cores, _ = self.choose("--upstream-core 2", {0, 1, 2})
        self.assertEqual(cores, Cores(1, 0, 2))

    def test_missing(self) -> None:
        """On a machine without the core nothing is pinned, and that is said."""
        cores, said = self.choose("", {0})
        self.assertEqual(cores, Cores(None, None, None))
        self.assertIn("nothing is pinned", said)

    def test_shared(self) -> None:
        """Sharing a core is possible, with a warning."""
        cores, said = self.choose("--proxy-core 0", {0})
        self.assertEqual(cores, Cores(0, 0, 0))
        self.assertIn("share", said)


class PeersTests(SynchronousTestCase):
    """Who takes part."""

    def test_order(self) -> None:
        """Peers come in the order given, command lines after them."""
        options = parseOptions(["--peers", "nginx,mosntx", "--command", "x=run {port}"])
        peers = makePeers(options)
        self.assertEqual(list(peers), ["nginx", "mosntx", "x"])
        self.assertIsInstance(peers["x"], CommandPeer)

    def test_badCommand(self) -> None:
        """A command line that is wrong is an error before anything is started."""
        options = parseOptions(["--command", "x=run {prt}"])
        self.assertRaises(ValueError, makePeers, options)


class DocumentTests(SynchronousTestCase):
    """The JSON file."""

    def test_settings(self) -> None:
        """Streams and idle connections are named only where there are some."""
        options, upstream = parseOptions([]), Upstream("nginx", {}, b"")
        http1 = loadScenario(SCENARIOS, "http1", Settings())
        self.assertEqual(
            list(settingsOf(options, http1, upstream)),
            ["connections", "duration", "warmup", "body", "upstream"],
        )
        idle = loadScenario(SCENARIOS, "idle", Settings())
        self.assertEqual(settingsOf(options, idle, upstream)["idle"], 10_000)

    def test_head(self) -> None:
        """Date and machine stand beside the figures."""
        started = datetime.datetime(2026, 11, 23, 7, 30, tzinfo=datetime.UTC)
        value = json.loads(json.dumps(document([], started)))
        self.assertEqual(value["started"], "2026-11-23T07:30:00+00:00")
        self.assertIn("cpu", value["machine"])
        self.assertEqual(value["scenarios"], [])
