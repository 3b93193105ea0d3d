"""Tests of `mosntx.service.cli`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
from pathlib import Path
from typing import Any

from mosntx import __version__
from mosntx.service.cli import EXIT_CLEAN, EXIT_ERRORS, EXIT_UNREADABLE, findProblems, main
from tests.service.build import BAD_FILTERS, TEXT, ServiceCase

#: Mistakes of five kinds, in lines 5, 10, 18, 21 and 25.
FIVE = (
    TEXT.replace("127.0.0.1:2045", "127.0.0.1:99999")
    .replace("downstream_protocol: Http1", "downstream_protocol: Htp1")
    .replace("cluster_name: c", "cluster_name: d")
    .replace("type: SIMPLE", "type: SIMPEL")
    .replace('"127.0.0.1:2047"', "7")
)


class CommandCase(ServiceCase):
    """Runs the command line."""

    def run_(self, *arguments):
        """Return exit code, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code: Any = main(arguments)
            except SystemExit as leaving:
                code = leaving.code
        return code, out.getvalue(), err.getvalue()


class CheckTests(CommandCase):
    """``mosntx check``."""

    def check(self, text, *options):
        self.path = self.file(text)
        return self.run_("check", "--no-ports", *options, self.path)[:2]

    def test_clean(self):
        """A good file: one line and 0."""
        self.assertEqual(self.check(TEXT), (EXIT_CLEAN, f"{self.path}: ok\n"))

    def test_fiveMistakes(self):
        """Five mistakes are five lines, each with its place, in file order."""
        code, out = self.check(FIVE)
        *lines, last = out.splitlines()
        self.assertEqual(code, EXIT_ERRORS)
        self.assertEqual([line.split(":")[1] for line in lines], ["5", "10", "18", "22", "25"], out)
        self.assertTrue(all(line.startswith(f"{self.path}:") for line in lines))
        self.assertEqual(last, f"{self.path}: 5 errors")

    def test_oneError(self):
        """One is no plural."""
        code, out = self.check(TEXT.replace("cluster_name: c", "cluster_name: d"))
        self.assertEqual((code, out.splitlines()[-1]), (EXIT_ERRORS, f"{self.path}: 1 error"))

    def test_wiring(self):
        """What only making the objects finds is found too."""
        code, out = self.check(BAD_FILTERS)
        self.assertEqual(code, EXIT_ERRORS)
        self.assertIn(f"{self.path}:12:13: error: ", out)
        self.assertIn(f"{self.path}:14:13: error: ", out)

    def test_warnings(self):
        """Warnings are shown and are no reason to fail, but with `--strict`."""
        text = TEXT.replace("bind_port: true", "bind_port: true\n        wrong_key: 1")
        code, out = self.check(text)
        self.assertEqual((code, out.splitlines()[-1]), (EXIT_CLEAN, f"{self.path}: ok, 1 warning"))
        self.assertIn(":7:9: warning: ", out)
        code, out = self.check(text, "--strict")
        self.assertEqual((code, out.splitlines()[-1]), (EXIT_ERRORS, f"{self.path}: 1 error"))

    def test_errorsAndWarnings(self):
        """Both are counted."""
        text = FIVE.replace("bind_port: true", "bind_port: true\n        a: 1\n        b: 2")
        code, out = self.check(text)
        self.assertEqual(code, EXIT_ERRORS)
        self.assertEqual(out.splitlines()[-1], f"{self.path}: 5 errors, 2 warnings")

    def test_json(self):
        """One document: the number of errors, and every problem with all its fields."""
        code, out = self.check(FIVE, "--json")
        document = json.loads(out)
        self.assertEqual((code, sorted(document)), (EXIT_ERRORS, ["errors", "problems"]))
        self.assertEqual((document["errors"], len(document["problems"])), (5, 5))
        first = document["problems"][0]
        self.assertEqual(
            sorted(first), ["column", "file", "fix", "line", "message", "path", "severity"]
        )
        self.assertEqual(
            (first["severity"], first["file"], first["line"], first["path"]),
            ("error", self.path, 5, "servers[0].listeners[0].address"),
        )

    def test_jsonClean(self):
        """A good file has an empty list."""
        code, out = self.check(TEXT, "--json")
        self.assertEqual((code, json.loads(out)), (EXIT_CLEAN, {"errors": 0, "problems": []}))

    def test_syntax(self):
        """A file that is no YAML is one error with its line, and exit code 1."""
        code, out = self.check("servers: [\n  {a: }\n")
        self.assertEqual(code, EXIT_ERRORS)
        self.assertEqual(out.count("error:"), 1)

    def test_missing(self):
        """A file that does not exist: 2, in words."""
        code, out, _ = self.run_("check", "nowhere.yaml")
        self.assertEqual(code, EXIT_UNREADABLE)
        self.assertEqual(
            out.splitlines()[0], "nowhere.yaml: error: cannot read the file: it does not exist"
        )

    def test_directory(self):
        """A directory: 2, in words; JSON stays JSON."""
        folder = str(self.folder())
        code, out, _ = self.run_("check", folder)
        self.assertEqual(code, EXIT_UNREADABLE)
        self.assertIn("it is a directory", out)
        code, out, _ = self.run_("check", "--json", folder)
        self.assertEqual((code, json.loads(out)["errors"]), (EXIT_UNREADABLE, 1))

    def test_ports(self):
        """A port in use is found with its line, but not with `--no-ports`."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            path = self.file(TEXT.replace("2045", str(taken.getsockname()[1])))
            code, out, _ = self.run_("check", path)
            self.assertEqual(code, EXIT_ERRORS)
            self.assertIn(f"{path}:5:18: error: servers[0].listeners[0].address: ", out)
            self.assertIn("address already in use", out)
            self.assertEqual(self.run_("check", "--no-ports", path)[0], EXIT_CLEAN)

    def test_nothingStays(self):
        """The check leaves no log file open, and starts no default log."""
        text = TEXT.replace("bind_port: true", "bind_port: true\n        access_logs: [{}]")
        code, _ = self.check(text)
        self.assertEqual(code, EXIT_CLEAN)
        logs = Path(self.path).parent.parent / "logs"
        here = {os.path.realpath(f"/dev/fd/{name}") for name in os.listdir("/dev/fd")}
        self.assertFalse([name for name in here if name.startswith(str(logs))])
        self.assertFalse((logs / "mosn.log").exists())

    def test_findProblems(self):
        """The function behind it, for other programs."""
        self.assertEqual(findProblems(self.file(TEXT), False, False), ([], True))
        problems, readable = findProblems("nowhere", False, True)
        self.assertEqual((len(problems), readable), (1, False))


class OtherCommandTests(CommandCase):
    """The rest of the command line."""

    def test_version(self):
        """Both spellings."""
        for arguments in (["version"], ["--version"]):
            self.assertEqual(self.run_(*arguments), (0, f"mosntx {__version__}\n", ""))

    def test_wrong(self):
        """No command and unknown commands are usage errors."""
        for arguments in ([], ["serve"], ["check"], ["run", "--fast"]):
            code, _, err = self.run_(*arguments)
            self.assertEqual(code, 2)
            self.assertIn("usage: mosntx", err)

    def test_help(self):
        """The help names the environment variables and the log levels."""
        self.environment(LOG_LEVEL=None, MOSN_CONFIG=None)
        code, out, _ = self.run_("run", "--help")
        self.assertEqual(code, 0)
        for word in ("MOSN_CONFIG", "LOG_LEVEL", "warning", "--drain-time-s", "--strict"):
            self.assertIn(word, out)


class RunTests(CommandCase):
    """``mosntx run`` and ``start``, up to where the reactor would start."""

    def refused(self, *arguments):
        """Return what a run says that cannot start."""
        code, out, err = self.run_(*arguments)
        self.assertEqual((code, out), (1, ""))
        return err

    def test_errors(self):
        """All that is wrong in the file, on standard error, and 1."""
        for command in ("run", "start"):
            path = self.file(FIVE)
            err = self.refused(command, "-c", path)
            self.assertEqual(len(err.splitlines()), 5)
            self.assertTrue(err.startswith(f"{path}:5:18: error: "), err)

    def test_strict(self):
        """`--strict` makes unknown keys errors."""
        path = self.file(TEXT.replace("bind_port: true", "bind_port: true\n        wrong_key: 1"))
        self.assertIn("wrong_key", self.refused("run", "--strict", "--config", path))

    def test_configuration(self):
        """Which file: the option, else MOSN_CONFIG, else conf/mosn.yaml."""
        self.environment(MOSN_CONFIG=None)
        self.assertIn("conf/mosn.yaml", self.refused("run"))
        self.environment(MOSN_CONFIG="from/environment.json")
        self.assertIn("from/environment.json", self.refused("start"))
        self.assertIn("given.yaml", self.refused("run", "-c", "given.yaml"))

    def test_wrongOptions(self):
        """Levels that nobody has and times that nobody can wait are usage errors."""
        self.environment(LOG_LEVEL=None)
        for option, value in (
            ("-l", "loud"),
            ("--log-level", ""),
            ("--drain-time-s", "soon"),
            ("--drain-time-s", "-1"),
            ("--drain-time-s", "nan"),
            ("--drain-time-s", "inf"),
        ):
            code, _, err = self.run_("run", f"{option}={value}")
            self.assertEqual(code, 2, (option, value))
            self.assertIn("drain-time-s" if "drain" in option else "log-level", err)

    def test_goodOptions(self):
        """Levels of MOSN and times get as far as the file."""
        for level in ("trace", "debug", "info", "warning", "error", "critical", "off", "INFO"):
            self.assertIn("nowhere", self.refused("run", "-c", "nowhere", "-l", level))
        self.assertIn("nowhere", self.refused("run", "-c", "nowhere", "--drain-time-s", "0"))

    def test_unknownLevelInTheEnvironment(self):
        """LOG_LEVEL with a level that nobody has is a usage error, not a traceback."""
        self.environment(LOG_LEVEL="loud")
        code, _, err = self.run_("run", "-c", self.file(TEXT))
        self.assertEqual(code, 2)
        self.assertIn("'loud' is none of trace, debug", err)

    def test_emptyLevelInTheEnvironment(self):
        """An empty LOG_LEVEL is none."""
        self.environment(LOG_LEVEL="")
        self.assertIn("nowhere", self.refused("run", "-c", "nowhere"))

    def test_otherCommands(self):
        """A wrong LOG_LEVEL does not keep anybody from checking a file."""
        self.environment(LOG_LEVEL="loud")
        self.assertEqual(self.run_("check", "--no-ports", self.file(TEXT))[0], 0)
