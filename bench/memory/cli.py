"""``python -m bench.memory``: prints the tables of the manual."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.cli import say
from bench.memory import resident
from bench.memory.allocated import VALUE, VARIABLE
from bench.memory.resident import Surroundings
from bench.process import Nursery, Ports, ProcessError, raiseFileLimit
from bench.tables import table

KIBI, MEBI = 1 << 10, 1 << 20
#: The clone: what runs in another process has to find the bench.
ROOT = Path(__file__).parents[2]
#: Descriptors of the harness and of a daemon besides those of clients.
SPARE_FILES = 1500
#: Seconds that counting may take.
PATIENCE = 300.0
OK, FLAWED = 0, 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.memory", description="What things cost in memory, as tables."
    )
    parser.add_argument("--idle", type=int, default=10_000, help="idle clients")
    parser.add_argument("--hosts", type=int, default=1000, help="hosts of the daemon's cluster")
    parser.add_argument("--proxy-core", type=int, default=1, dest="proxyCore")
    parser.add_argument("--load-core", type=int, default=0, dest="loadCore")
    return parser.parse_args(arguments)


def countObjects() -> dict[str, float]:
    """Return name to octets, counted in another process, see `bench.memory.allocated`.

    :raises ProcessError: when that fails.
    """
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-m", "bench.memory.objects"],
        env={**os.environ, VARIABLE: VALUE, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode != 0:
        raise ProcessError(f"counting failed:\n{done.stderr[-2000:]}")
    return {str(name): float(octets) for name, octets in json.loads(done.stdout).items()}


def objectsTable(found: Mapping[str, float]) -> str:
    """Return the table of things that were counted."""
    rows = {name: [f"{octets / KIBI:.1f} KiB"] for name, octets in found.items()}
    return table(rows, ["one more", "memory"])


def residentTable(
    idle: Mapping[str, tuple[float, float]], clients: int, hosts: int, each: tuple[float, float]
) -> str:
    """Return the table of resident memory.

    :param idle: see `resident.idleClients`.
    :param each: see `resident.hosts`.
    """
    rows = {
        f"{clients:,} idle clients, {name}": [
            f"{octets / KIBI:.1f} KiB",
            f"{octets * clients / MEBI:.1f} MiB",
            f"{before / MEBI:.0f} MiB",
        ]
        for name, (octets, before) in idle.items()
    }
    titles = ("not asked yet", "asked, with an idle connection each")
    for title, octets in zip(titles, each, strict=True):
        rows[f"{hosts:,} hosts, {title}"] = [
            f"{octets / KIBI:.1f} KiB",
            f"{octets * hosts / MEBI:.1f} MiB",
            "",
        ]
    return table(rows, ["daemon with", "each", "together", "process before"])


def main(arguments: Sequence[str]) -> int:
    """Measure and print; return 1 when something could not be measured."""
    options = parse(arguments)
    raiseFileLimit(options.idle + SPARE_FILES)
    try:
        objects = countObjects()
        with (
            tempfile.TemporaryDirectory(prefix="mosntx-memory-") as name,
            Nursery(Path(name)) as nursery,
        ):
            ports = Ports(os.getpid() * 7)
            around = Surroundings(nursery, ports, Path(name), options.proxyCore, options.loadCore)
            idle = resident.idleClients(around, options.idle)
            hosts = resident.hosts(around, options.hosts)
    except (ProcessError, subprocess.TimeoutExpired) as error:
        say(str(error))
        return FLAWED
    sys.stdout.write(residentTable(idle, options.idle, options.hosts, hosts) + "\n")
    sys.stdout.write(objectsTable(objects))
    return OK
