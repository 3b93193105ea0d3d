"""Tests of `mosntx.config.load`: whole files, and all problems at once."""

from __future__ import annotations

import json
import os
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.load import decodeMapping, loadFile, loadMapping, loadText
from mosntx.config.problems import ConfigError
from mosntx.config.schema import Keepalive, LbConfig
from tests.config.samples import (
    EVERYTHING,
    SMALL_BUILD,
    load,
    minimal,
    problemsOf,
)

FIVE_MISTAKES = """\
{
\t"servers": [{
\t\t"listeners": [{
\t\t\t"name": "in",
\t\t\t"address": "127.0.0.1:99999",
\t\t\t"bind_port": "yes",
\t\t\t"conection_idle_timeout": "90s",
\t\t\t"filter_chains": [{"filters": [{"type": "proxy", "config": {
\t\t\t\t"downstream_protocol": "Http1", "router_config_name": "rooter"}}]}]
\t\t}],
\t\t"routers": [{"router_config_name": "router", "virtual_hosts": [{
\t\t\t"domains": ["*"],
\t\t\t"routers": [{"match": {"prefix": "/"}, "route": {"cluster_name": "clutser"}}]
\t\t}]}]
\t}],
\t"cluster_manager": {"clusters": [{"name": "cluster", "connect_timeout": 5}]}
}
"""
FIVE_PROBLEMS = """\
five.json:5:15: error: servers[0].listeners[0].address: address '127.0.0.1:99999': port 99999 is \
not within 0 and 65535; write 'ip:port', 'host:port' or '[v6]:port'
five.json:6:17: error: servers[0].listeners[0].bind_port: expected true or false, found the text \
'yes'; write true or false without quotes
five.json:7:4: warning: servers[0].listeners[0].conection_idle_timeout: unknown key \
'conection_idle_timeout'; did you mean 'connection_idle_timeout'?
five.json:9:59: error: servers[0].listeners[0].filter_chains[0].filters[0].config.\
router_config_name: there is no router configuration 'rooter'; did you mean 'router'?
five.json:13:69: error: servers[0].routers[0].virtual_hosts[0].routers[0].route.cluster_name: \
there is no cluster 'clutser'; did you mean 'cluster'?
five.json:16:74: error: cluster_manager.clusters[0].connect_timeout: the duration 5 has no unit; \
write a number and a unit (ns, us, ms, s, m, h), such as '1m30s'; is it '5s'?"""


class AllProblemsTests(SynchronousTestCase):
    """A file is reported as a whole."""

    def test_fiveMistakes(self) -> None:
        """Each finding has its line, column, path and advice; warnings are among them, in order."""
        error = self.assertRaises(ConfigError, loadText, FIVE_MISTAKES, "five.json", EVERYTHING)
        self.assertEqual(str(error), FIVE_PROBLEMS)

    def test_strict(self) -> None:
        """With `strict` the unknown key is an error as well."""
        severities = {p.severity for p in problemsOf(FIVE_MISTAKES, strict=True)}
        self.assertEqual(severities, {"error"})

    def test_missingKeyIsAtTheObject(self) -> None:
        """A key that is not there is reported where it should be."""
        text = '{"servers": [{"listeners": [\n  {"name": "a", "filter_chains": [{"filters": [\n'
        text += '{"type": "proxy",\n "config": {}}]}]}]}]}'
        at = {(p.path.rpartition(".")[2], p.line, p.column) for p in problemsOf(text)}
        self.assertIn(("address", 2, 3), at)
        self.assertIn(("downstream_protocol", 4, 12), at)

    def test_noProblems(self) -> None:
        """A good file has none."""
        self.assertEqual(load(minimal(), SMALL_BUILD).problems, ())


class FileTests(SynchronousTestCase):
    """`loadFile`."""

    def broken(self, content: bytes | None) -> str:
        """The one problem of a file."""
        path = self.mktemp()
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        error = self.assertRaises(ConfigError, loadFile, path, EVERYTHING)
        self.assertEqual(len(error.problems), 1)
        return str(error).replace(path, "F")

    def test_good(self) -> None:
        """A byte order mark does not matter; positions name the file."""
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"\xef\xbb\xbf" + json.dumps(minimal(), indent=1).encode())
        loaded = loadFile(path, EVERYTHING)
        self.assertEqual(loaded.config, load(minimal()).config)
        self.assertEqual(loaded.position("servers[0].listeners[0].address"), (path, 7, 17))
        self.assertEqual(loaded.position("servers[0].listeners[0].inspector")[:2], (path, 5))

    def test_unusableFiles(self) -> None:
        """Missing, a directory, empty, not UTF-8, not an object: one clear problem each."""
        self.assertEqual(self.broken(None), "F: error: cannot be read: No such file or directory")
        self.assertEqual(self.broken(b""), "F:1:1: error: the configuration is empty")
        self.assertEqual(self.broken(b" \n# c\n"), "F:1:1: error: the configuration is empty")
        self.assertEqual(self.broken(b"{\n\xc3\xa9\xff}"), "F:2:2: error: is not UTF-8: octet 0xff")
        self.assertEqual(self.broken(b"[]"), "F:1:1: error: expected an object, found a list")
        error = self.assertRaises(ConfigError, loadFile, os.getcwd(), EVERYTHING)
        self.assertIn("Is a directory", str(error))
        self.assertRaises(ConfigError, loadFile, "a\0b", EVERYTHING)

    def test_tooLarge(self) -> None:
        """A file beyond the limit is not read."""
        self.assertIn("larger than 16 MiB", self.broken(b" " * (16 * 1024 * 1024 + 1)))


class MappingTests(SynchronousTestCase):
    """`loadMapping` and `decodeMapping`."""

    def test_noPlace(self) -> None:
        """Objects that no file can hold are one problem; so are bottomless ones."""
        self.assertRaises(ConfigError, loadMapping, {"servers": object()}, EVERYTHING)
        endless: list[Any] = []
        endless.append(endless)
        self.assertRaises(ConfigError, loadMapping, {"servers": endless}, EVERYTHING)

    def test_decodeMapping(self) -> None:
        """The settings of a filter by themselves."""
        self.assertEqual(decodeMapping(Keepalive, {"interval": "5s"}).interval, 5.0)
        error = self.assertRaises(ConfigError, decodeMapping, LbConfig, {"choice_count": "2"}, "f")
        self.assertEqual(error.problems[0].path, "f.choice_count")
        self.assertRaises(ConfigError, decodeMapping, LbConfig, {"x": object()})
