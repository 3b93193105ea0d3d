"""Tests of `mosntx.service.tap`."""

from __future__ import annotations

from typing import Any

from twisted.application.app import ServerOptions
from twisted.application.twist._options import TwistOptions
from twisted.python.usage import UsageError

from mosntx.service.process import Process
from mosntx.service.tap import Options, makeService
from tests.service.build import TEXT, ServiceCase


def parsed(*arguments, twistd=None):
    """Return options, below those of twistd if given."""
    options = Options()
    if twistd is not None:
        options.parent = twistd
    options.parseOptions(list(arguments))
    return options


def twistdOptions(**given):
    """Return twistd's own options."""
    options = ServerOptions()
    options.update({"nodaemon": 1, "logger": None, "logfile": None, "syslog": 0, **given})
    return options


class OptionsTests(ServiceCase):
    """The command line of ``twistd mosn``."""

    def test_defaults(self):
        """Without options: MOSN's file, nothing else."""
        options = parsed()
        self.assertEqual(options["config"], "conf/mosn.yaml")
        self.assertEqual((options["log-level"], options["drain-time-s"]), (None, None))
        self.assertEqual((options["strict"], options["console"]), (0, False))

    def test_given(self):
        """Long and short spellings."""
        options = parsed("-c", "a.json", "-L", "debug", "--drain-time-s", "2.5", "--strict")
        self.assertEqual(
            (options["config"], options["log-level"], options["drain-time-s"], options["strict"]),
            ("a.json", "debug", 2.5, 1),
        )
        self.assertEqual(parsed("--config=b")["config"], "b")

    def test_badLevel(self):
        """An unknown level is a usage error that lists them."""
        error = self.assertRaises(UsageError, parsed, "--log-level", "loud")
        self.assertIn("trace, debug, info, warning, error", str(error))

    def test_badTime(self):
        """Times that nobody can wait are usage errors."""
        for text in ("soon", "-1", "nan", "inf"):
            self.assertRaises(UsageError, parsed, "--drain-time-s", text)

    def test_unknown(self):
        """Unknown options and further words are usage errors."""
        self.assertRaises(UsageError, parsed, "--fast")
        self.assertRaises(UsageError, parsed, "more")

    def test_console(self):
        """In the foreground without a log of its own, twistd leaves the console to us."""
        twistd = twistdOptions()
        self.assertTrue(parsed(twistd=twistd)["console"])
        self.assertEqual(twistd["logger"], "mosntx.service.logs.otherEvents")

    def test_notOurConsole(self):
        """It does not when it is a daemon, or has a logger, a log file or syslog."""
        for given in (
            {"nodaemon": 0},
            {"logger": "somebody.observer"},
            {"logfile": "twistd.log"},
            {"syslog": 1},
        ):
            twistd = twistdOptions(**given)
            self.assertFalse(parsed(twistd=twistd)["console"], given)
            self.assertEqual(twistd["logger"], given.get("logger"))

    def test_logger(self):
        """What twistd is told to use exists."""
        from twisted.python.reflect import namedAny

        twistd = twistdOptions()
        parsed(twistd=twistd)
        self.assertTrue(callable(namedAny(twistd["logger"])()))

    def test_twist(self):
        """Under ``twist`` the console is not ours."""
        self.assertFalse(parsed(twistd=TwistOptions())["console"])


class ServiceTests(ServiceCase):
    """From options to a service."""

    def test_service(self):
        """The options reach the Sidecar."""
        path = self.file(TEXT.replace("2045", "0"))
        made: Any = makeService(parsed("-c", path, "--drain-time-s", "1.5", "-L", "off"))
        self.assertIsInstance(made, Process)
        self.assertEqual(made.sidecar.gracefulTimeout, 1.5)
        self.assertEqual(made.sidecar._logLevel, "FATAL")
        self.assertFalse(made.sidecar._console)
        self.successResultOf(made.sidecar.stopService())

    def test_broken(self):
        """A wrong file ends the process."""
        error = self.assertRaises(SystemExit, makeService, parsed("-c", "nowhere.yaml"))
        self.assertEqual(error.code, 1)

    def test_plugin(self):
        """``twistd --help`` finds the command by its plugin."""
        from twisted.application.service import IServiceMaker
        from twisted.plugins import mosn_tap

        self.assertTrue(IServiceMaker.providedBy(mosn_tap.mosn))
        self.assertEqual(
            (mosn_tap.mosn.tapname, mosn_tap.mosn.module), ("mosn", "mosntx.service.tap")
        )
        self.assertIs(mosn_tap.mosn.options, Options)
