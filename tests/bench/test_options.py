"""Tests of the command line."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.options import Options, parseOptions
from bench.peers import DEFAULT_PEERS, PEERS
from bench.scenarios import SCENARIOS


class OptionsTests(SynchronousTestCase):
    """Reading it."""

    def refuse(self, *arguments: str) -> str:
        """Return what is said about arguments that are wrong."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended:
            parseOptions(arguments)
        self.assertEqual(ended.exception.code, 2)
        return said.getvalue()

    def test_defaults(self) -> None:
        """Nothing said: HTTP/1.1, the default peers, 5 rounds of 3 s, 1 KiB, cores 1 and 0."""
        options = parseOptions([])
        self.assertEqual(options.scenarios, ("http1",))
        self.assertEqual(options.peers, DEFAULT_PEERS)
        self.assertEqual((options.rounds, options.settings.duration, options.body), (5, 3, 1024))
        cores = (options.proxyCore, options.loadCore, options.upstreamCore)
        self.assertEqual(cores, (1, 0, 0))
        self.assertIsNone(options.output)

    def test_all(self) -> None:
        """Everything can be said."""
        line = (
            "--peers nginx,mosntx --scenario idle,http1 --connections 8 --duration 1 --rounds 2"
            " --body 10 --json out.json --idle 7 --streams 3 --warmup 0 --proxy-core 3"
            " --load-core 2 --binary aiohttp=python3.13 --upstream own"
        )
        options = parseOptions(line.split())
        self.assertEqual(options.peers, ("nginx", "mosntx"))
        self.assertEqual(options.scenarios, ("idle", "http1"))
        self.assertEqual(options.settings.connections, 8)
        self.assertEqual((options.settings.idle, options.settings.streams), (7, 3))
        self.assertEqual((options.settings.duration, options.settings.warmup), (1, 0))
        self.assertEqual(options.output, Path("out.json"))
        self.assertEqual(options.binaries, {"aiohttp": "python3.13"})
        # The upstream goes where the load generator is.
        self.assertEqual((options.proxyCore, options.upstreamCore), (3, 2))

    def test_everything(self) -> None:
        """`all` stands for every peer or scenario; a name given twice counts once."""
        options = parseOptions(["--peers", "all", "--scenario", "all"])
        self.assertEqual(options.peers, tuple(PEERS))
        self.assertEqual(options.scenarios, tuple(SCENARIOS))
        self.assertEqual(parseOptions(["--peers", "nginx, nginx"]).peers, ("nginx",))

    def test_command(self) -> None:
        """A command line may itself have equal signs, and stand without peers."""
        options = parseOptions(["--peers", "", "--command", "go=mosn start -c {config} -x=1"])
        self.assertEqual(options.commands, {"go": "mosn start -c {config} -x=1"})
        self.assertEqual(options.peers, ())

    def test_wrong(self) -> None:
        """What is wrong is named, with what is allowed."""
        self.assertIn(
            "unknown: ngin (known: mosntx, mosntx-h2, mosntx-logged", self.refuse("--peers", "ngin")
        )
        self.assertIn("unknown: http9", self.refuse("--scenario", "http9"))
        self.assertIn("NAME=VALUE", self.refuse("--command", "mosn start"))
        self.assertIn("no such peer: squid", self.refuse("--binary", "squid=/bin/squid"))
        self.assertIn("known peer: nginx", self.refuse("--command", "nginx=nginx -c x"))
        self.assertIn("nothing to do", self.refuse("--peers", ""))
        self.assertIn("nothing to do", self.refuse("--scenario", ","))

    def test_numbers(self) -> None:
        """Numbers that make no sense are refused."""
        for name in ("--rounds", "--duration", "--body", "--connections", "--idle", "--streams"):
            self.assertIn("must be 1 or more", self.refuse(name, "0"))
            self.assertIn("whole number", self.refuse(name, "1.5"))
        self.assertIn("must be 0 or more", self.refuse("--warmup", "-1"))


class FrozenTests(SynchronousTestCase):
    """The value."""

    def test_frozen(self) -> None:
        """It is a value: nothing changes it."""
        options = parseOptions([])
        self.assertIsInstance(options, Options)
        with self.assertRaises(AttributeError):
            options.rounds = 1  # type: ignore[misc]  # that is the test
