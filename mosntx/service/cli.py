"""The console script ``mosntx``: running it, checking a configuration, asking a running one."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from attrs import asdict

from mosntx import __version__
from mosntx.config.checks import checkPorts
from mosntx.config.problems import ERROR, ConfigError, Problem
from mosntx.service.places import placed
from mosntx.service.process import LOG_LEVELS, drainSeconds

#: Where MOSN's admin API is in every sample.
DEFAULT_ADMIN = "127.0.0.1:34901"

#: Exit codes of ``mosntx check``.
EXIT_CLEAN = 0
EXIT_ERRORS = 1
EXIT_UNREADABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command of the command line and return its exit code."""
    parser = _parser()
    # argparse takes no optional positionals behind options: those of `explain` are the rest
    options, rest = parser.parse_known_args(arguments)
    options.rest = rest
    if rest and (options.command is not _explain or len(rest) > 2 or rest[0].startswith("-")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    command: Any = options.command
    return int(command(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mosntx", description="A service-mesh sidecar on Twisted."
    )
    parser.add_argument("--version", action="version", version=f"mosntx {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _addRun(commands.add_parser("run", help="serve in the foreground"))
    _addRun(commands.add_parser("start", help="the same, in MOSN's spelling"))
    check = commands.add_parser(
        "check", help="say what is wrong in a configuration; starts nothing"
    )
    check.add_argument("file")
    check.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    check.add_argument("--strict", action="store_true", help="unknown keys are errors")
    check.add_argument(
        "--no-ports", action="store_true", help="do not look whether ports are in use"
    )
    check.set_defaults(command=_check)
    _addExplain(commands.add_parser("explain", help="say what would happen to a request"))
    _addFailures(commands.add_parser("failures", help="say why the last requests failed"))
    version = commands.add_parser("version", help="print the version")
    version.set_defaults(command=_version)
    return parser


def _addExplain(explain: argparse.ArgumentParser) -> None:
    explain.usage = "mosntx explain FILE [options] [METHOD http://HOST/PATH]"
    explain.epilog = "Without method and URL it is a request of RPC; `service` is its service."
    explain.add_argument("file", help="configuration file, YAML or JSON")
    explain.add_argument("-l", "--listener", default="", help="its name, if there are several")
    explain.add_argument(
        "-H", "--header", action="append", default=[], metavar="'NAME: VALUE'", type=_headerField
    )
    explain.add_argument("--source", default="127.0.0.1:40000", help="the client (%(default)s)")
    explain.add_argument("--json", action="store_true", help="one JSON document instead of text")
    explain.set_defaults(command=_explain)


def _headerField(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 'name: value'")
    return name.strip(), value.strip()


def _addFailures(failures: argparse.ArgumentParser) -> None:
    failures.add_argument(
        "-a",
        "--admin",
        default=DEFAULT_ADMIN,
        metavar="HOST:PORT",
        help="the admin API of the running mosntx (%(default)s)",
    )
    failures.add_argument(
        "-n", "--limit", type=int, default=20, help="how many, the last ones (%(default)s)"
    )
    failures.add_argument("--reason", default="", help="only those of this code")
    failures.add_argument("--json", action="store_true", help="one JSON document instead of text")
    failures.set_defaults(command=_failures)


def _addRun(run: argparse.ArgumentParser) -> None:
    run.add_argument(
        "-c",
        "--config",
        default=os.environ.get("MOSN_CONFIG", "conf/mosn.yaml"),
        help="configuration file, YAML or JSON (environment: MOSN_CONFIG)",
    )
    run.add_argument(
        "-l",
        "--log-level",
        default=os.environ.get("LOG_LEVEL") or None,
        type=_logLevel,
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS)}; instead of the file's (environment: LOG_LEVEL)",
    )
    run.add_argument("--strict", action="store_true", help="unknown keys are errors")
    run.add_argument(
        "--drain-time-s", type=drainSeconds, help="seconds for requests to finish at the end"
    )
    run.set_defaults(command=_run)


def _logLevel(text: str) -> str:
    """Return a log level; also for the environment, where ``choices`` is not looked at."""
    if text.lower() not in LOG_LEVELS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(LOG_LEVELS)}")
    return text.lower()


def _run(options: argparse.Namespace) -> int:
    from twisted.logger import globalLogBeginner

    from mosntx.service.logs import otherEvents
    from mosntx.service.process import Process

    process = Process.orExit(
        options.config,
        strict=options.strict,
        logLevel=options.log_level,
        drainSeconds=options.drain_time_s,
        console=True,
    )
    from twisted.internet import reactor  # not before the process has chosen it

    globalLogBeginner.beginLoggingTo([otherEvents()], redirectStandardIO=False)
    process.startService()
    loop: Any = reactor
    loop.addSystemEventTrigger("before", "shutdown", process.stopService)
    loop.run()
    return 0


def _check(options: argparse.Namespace) -> int:
    """Print every problem.

    Exit code 0 without errors, 1 with errors, 2 when the file cannot be read.
    """
    problems, readable = findProblems(options.file, options.strict, not options.no_ports)
    errors = sum(problem.severity == ERROR for problem in problems)
    if options.json:
        print(json.dumps({"errors": errors, "problems": [asdict(p) for p in problems]}, indent=1))
    else:
        for problem in problems:
            print(problem)
        print(f"{options.file}: {_summary(errors, len(problems) - errors)}")
    if not readable:
        return EXIT_UNREADABLE
    return EXIT_ERRORS if errors else EXIT_CLEAN


def _explain(options: argparse.Namespace) -> int:
    """Print what would happen to a request; the file is loaded as for a start."""
    from mosntx.service.explain import ExplainError, Question, explain, explainLines
    from mosntx.service.sidecar import Sidecar

    try:
        sidecar = Sidecar.fromFile(options.file, dry=True)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return EXIT_ERRORS
    method, url = [*options.rest, "", ""][:2]
    question = Question(method or "GET", url, tuple(options.header), options.source)
    try:
        said = explain(sidecar, options.listener, question)
    except ExplainError as error:
        print(f"mosntx explain: {error}", file=sys.stderr)
        return EXIT_UNREADABLE
    finally:
        sidecar.stopService()
    if options.json:
        print(json.dumps(said, indent=1))
    else:
        for line in explainLines(said):
            print(line)
    return EXIT_CLEAN


def _failures(options: argparse.Namespace) -> int:
    """Print what the flight recorder of a running mosntx keeps."""
    from mosntx.service.failures import NoAnswerError, askFailures, failureLines

    try:
        report = askFailures(options.admin, options.limit, options.reason)
    except NoAnswerError as error:
        print(f"mosntx failures: {error}", file=sys.stderr)
        return EXIT_UNREADABLE
    if options.json:
        print(json.dumps(report, indent=1))
    else:
        for line in failureLines(report):
            print(line)
    return EXIT_CLEAN


def findProblems(path: str, strict: bool, ports: bool) -> tuple[list[Problem], bool]:
    """Return all problems of a file, in file order, and whether it could be read at all.

    The objects are made as for a start, so what only shows then is found too; none is started.
    """
    from mosntx.service.sidecar import Sidecar

    if not os.access(path, os.R_OK) or os.path.isdir(path):
        why = "it is a directory" if os.path.isdir(path) else "it cannot be read"
        if not os.path.exists(path):
            why = "it does not exist"
        return [Problem(ERROR, path, 0, 0, "", f"cannot read the file: {why}")], False
    try:
        sidecar = Sidecar.fromFile(path, strict=strict, dry=True)
    except ConfigError as error:
        return list(error.problems), True
    sidecar.stopService()
    problems = list(sidecar.loaded.problems)
    if ports:
        problems += placed(sidecar.loaded, checkPorts(sidecar.loaded.config))
    return problems, True


def _summary(errors: int, others: int) -> str:
    if not errors and not others:
        return "ok"
    words = [f"{errors} error{'s' * (errors != 1)}"] if errors else ["ok"]
    if others:
        words.append(f"{others} warning{'s' * (others != 1)}")
    return ", ".join(words)


def _version(_options: argparse.Namespace) -> int:
    print(f"mosntx {__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
