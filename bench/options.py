"""The command line of the harness."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from bench.peers import DEFAULT_PEERS, PEERS
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Settings

_EPILOG = """\
examples:
  python -m bench
  python -m bench --scenario http1,idle --json result.json
  python -m bench --peers mosntx,nginx --command mosn='mosn start -c {config}'
"""


@attrs.frozen
class Options:
    """What a run shall do.

    :param peers: names from the table, in the order of the table that is printed.
    :param commands: name to command line, further candidates.
    :param binaries: peer's name to the program to use for it.
    :param proxyCore: the core of the candidates.
    :param loadCore: the core of the load generator.
    :param upstreamCore: the core of the upstream.
    :param output: the file for JSON.
    :param showList: only say which scenarios and peers there are.
    """

    peers: Sequence[str]
    scenarios: Sequence[str]
    commands: Mapping[str, str]
    binaries: Mapping[str, str]
    settings: Settings
    rounds: int
    body: int
    upstream: str
    proxyCore: int
    loadCore: int
    upstreamCore: int
    output: Path | None
    showList: bool


def number(lowest: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number not below `lowest`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None
        if value < lowest:
            raise argparse.ArgumentTypeError(f"must be {lowest} or more, not {text}")
        return value

    return read


def names(known: Mapping[str, str], every: bool = False) -> Callable[[str], tuple[str, ...]]:
    """Return a type for argparse: names out of `known`, with commas between.

    :param every: whether the word ``all`` stands for all of them.
    """

    def read(text: str) -> tuple[str, ...]:
        if every and text == "all":
            return tuple(known)
        words = [word.strip() for word in text.split(",") if word.strip()]
        for word in words:
            if word not in known:
                choice = ", ".join(known)
                raise argparse.ArgumentTypeError(f"unknown: {word} (known: {choice})")
        return tuple(dict.fromkeys(words))

    return read


def pair(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``.

    :raises argparse.ArgumentTypeError: when one of the two is missing.
    """
    name, _, value = text.partition("=")
    if not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, not {text!r}")
    return name.strip(), value.strip()


def _addWho(parser: argparse.ArgumentParser) -> None:
    """Add the options that say who takes part."""
    group = parser.add_argument_group("candidates")
    group.add_argument(
        "--peers",
        type=names(PEERS, every=True),
        default=DEFAULT_PEERS,
        metavar="A,B",
        help=f"who takes part, or 'all' (default: {','.join(DEFAULT_PEERS)})",
    )
    group.add_argument(
        "--command",
        type=pair,
        action="append",
        default=[],
        metavar="NAME='CMD {port} ...'",
        help="any other proxy; fields: {port} {upstream_host} {upstream_port} {folder}, and "
        "{config}, a configuration in MOSN's schema",
    )
    group.add_argument(
        "--binary",
        type=pair,
        action="append",
        default=[],
        metavar="PEER=PROGRAM",
        help="the program of a peer; for a Python peer the interpreter",
    )
    group.add_argument(
        "--upstream",
        choices=("auto", "nginx", "own"),
        default="auto",
        help="the server behind every candidate (default: nginx if installed)",
    )


def _addLoad(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how much load of which kind."""
    group = parser.add_argument_group("load")
    group.add_argument(
        "--scenario",
        type=names(SCENARIOS, every=True),
        default=("http1",),
        metavar="A,B",
        help="one or more scenarios, or 'all' (default: http1)",
    )
    default = "default: the scenario's"
    group.add_argument("--connections", type=number(1), metavar="N", help=f"under load ({default})")
    group.add_argument("--streams", type=number(1), metavar="N", help=f"on each ({default})")
    group.add_argument("--idle", type=number(1), metavar="N", help=f"idle connections ({default})")
    group.add_argument("--duration", type=number(1), default=3, metavar="S", help="seconds (3)")
    group.add_argument("--warmup", type=number(0), default=1, metavar="S", help="seconds (1)")
    group.add_argument("--rounds", type=number(1), default=5, metavar="N", help="turns (5)")
    group.add_argument("--body", type=number(1), default=1024, metavar="N", help="octets (1024)")


def makeParser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure mosntx and other proxies in turns; only ratios of one run count.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--list", action="store_true", help="show scenarios and peers, and end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    _addWho(parser)
    _addLoad(parser)
    group = parser.add_argument_group("machine")
    group.add_argument("--proxy-core", type=number(0), default=1, metavar="N", help="core (1)")
    group.add_argument("--load-core", type=number(0), default=0, metavar="N", help="core (0)")
    group.add_argument(
        "--upstream-core", type=number(0), metavar="N", help="core (default: the load core)"
    )
    return parser


def parseOptions(arguments: Sequence[str]) -> Options:
    """Read the command line; argparse ends the program with status 2 when it is wrong."""
    parser = makeParser()
    given = parser.parse_args(arguments)
    commands, binaries = dict(given.command), dict(given.binary)
    if unknown := sorted(set(binaries) - set(PEERS)):
        parser.error(f"--binary: no such peer: {', '.join(unknown)}")
    if twice := sorted(set(commands) & set(PEERS)):
        parser.error(f"--command: the name of a known peer: {', '.join(twice)}")
    if not given.scenario or not (given.peers or commands):
        parser.error("nothing to do: name a scenario and a candidate")
    return Options(
        peers=given.peers,
        scenarios=given.scenario,
        commands=commands,
        binaries=binaries,
        settings=Settings(
            given.connections, given.streams, given.duration, given.warmup, given.idle
        ),
        rounds=given.rounds,
        body=given.body,
        upstream=given.upstream,
        proxyCore=given.proxy_core,
        loadCore=given.load_core,
        upstreamCore=given.load_core if given.upstream_core is None else given.upstream_core,
        output=given.json,
        showList=given.list,
    )
