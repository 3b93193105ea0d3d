"""The ``twistd`` and ``twist`` command ``mosn``: ``twistd -n mosn --config conf/mosn.yaml``."""

from __future__ import annotations

from twisted.application.app import ServerOptions
from twisted.application.service import IService
from twisted.python import usage

from mosntx.service.process import LOG_LEVELS, Process, drainSeconds


class Options(usage.Options):
    """Command line of ``twistd mosn``."""

    synopsis = "[options]"
    longdesc = "A service-mesh sidecar: reads MOSN's configuration, in YAML or JSON."
    optFlags = [  # noqa: RUF012 - twisted
        ["strict", None, "Unknown configuration keys are errors."],
    ]
    optParameters = [  # noqa: RUF012 - twisted
        ["config", "c", "conf/mosn.yaml", "Configuration file."],
        [
            "log-level",
            "L",
            None,
            "Log level instead of the file's: trace, debug, info, warning, error, off.",
        ],
        ["drain-time-s", None, None, "Seconds for requests to finish at the end.", drainSeconds],
    ]

    def postOptions(self) -> None:
        """Check what the framework does not, and take the console when it is nobody's.

        ``twistd -n`` without a log of its own prints on standard output. Then our lines come there
        in MOSN's
        format, and twistd prints only what is not ours.

        :raises UsageError: for an unknown log level.
        """
        self["console"] = False
        twistd = getattr(self, "parent", None)
        if isinstance(twistd, ServerOptions) and twistd["nodaemon"]:
            self["console"] = not (twistd["logger"] or twistd["logfile"] or twistd["syslog"])
            if self["console"]:
                twistd["logger"] = "mosntx.service.logs.otherEvents"
        level = self["log-level"]
        if level is not None and level not in LOG_LEVELS:
            raise usage.UsageError(f"--log-level is one of {', '.join(LOG_LEVELS)}")


def makeService(options: Options) -> IService:
    """Make the service.

    A configuration that is wrong ends the process with all that is wrong in it.
    """
    return Process.orExit(
        options["config"],
        strict=bool(options["strict"]),
        logLevel=options["log-level"],
        drainSeconds=options["drain-time-s"],
        console=options["console"],
    )
