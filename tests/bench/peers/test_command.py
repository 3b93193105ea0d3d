"""Tests of candidates given by a command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.peers.command import CommandPeer
from bench.peers.mosntx import config
from bench.place import BOLT, Place


class CommandPeerTests(SynchronousTestCase):
    """`CommandPeer`."""

    def place(self) -> Place:
        """Return a place with a folder."""
        folder = Path(self.mktemp())
        folder.mkdir()
        return Place(20001, 20002, folder)

    def test_fields(self) -> None:
        """Every field is replaced, also several in one word; doubled braces are braces."""
        peer = CommandPeer("x", "run --at=:{port} {upstream_host}:{upstream_port} '{{a b}}'")
        self.assertEqual(
            peer.command(self.place()), ["run", "--at=:20001", "127.0.0.1:20002", "{a b}"]
        )

    def test_config(self) -> None:
        """`{config}` is a configuration in MOSN's schema for this place."""
        place = self.place()
        command = CommandPeer("go", "mosn start -c {config}").command(place)
        self.assertEqual(json.loads(Path(command[-1]).read_text()), config(place))

    def test_program(self) -> None:
        """A program that is found is used by its path, one that is not is reported."""
        self.assertEqual(CommandPeer("x", f"{sys.executable} -V").missing(), None)
        missing = CommandPeer("x", "no-such-proxy {port}").missing()
        self.assertIn("check the command line", missing or "")

    def test_anyProtocol(self) -> None:
        """It may try every scenario: nothing is known about it."""
        self.assertIsNone(CommandPeer("x", "run").unsupported((BOLT, BOLT)))

    def test_wrong(self) -> None:
        """An empty line, an open quote, an unknown field and a lone brace are refused."""
        for line in ("", "  ", "run 'open", "run {prt}", "run {}", "run {port"):
            with self.assertRaises(ValueError, msg=line):
                CommandPeer("x", line)
        with self.assertRaises(ValueError) as caught:
            CommandPeer("x", "run {prt}")
        self.assertIn("{upstream_port}", str(caught.exception))
