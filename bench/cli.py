"""``python -m bench``: puts a run together and prints what came out."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from bench.candidate import Candidate
from bench.options import Options, parseOptions
from bench.peers import PEERS
from bench.peers.base import Peer, loadPeer
from bench.peers.command import CommandPeer
from bench.process import Nursery, Ports, ProcessError, raiseFileLimit
from bench.report import ScenarioReport, asJson, asText
from bench.results import Outcome
from bench.runner import Runner, folderFor
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Scenario, Settings, Stage, loadScenario
from bench.upstream import Upstream, makeBody, startUpstream

#: Descriptors a process needs besides its connections.
SPARE_FILES = 1024

OK, FLAWED, WRONG_USE = 0, 1, 2


def say(line: str) -> None:
    """Tell about progress, on standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def makePeers(options: Options) -> dict[str, Peer]:
    """Return name to peer, in the order of the table.

    :raises ValueError: when a command line is wrong.
    """
    peers = {name: loadPeer(PEERS, name, options.binaries.get(name)) for name in options.peers}
    for label, line in options.commands.items():
        peers[label] = CommandPeer(label, line)
    return peers


def describe() -> str:
    """Return the list of scenarios and of peers with what is missing."""
    lines = ["scenarios"]
    for name in SCENARIOS:
        scenario = loadScenario(SCENARIOS, name, Settings())
        lines.append(f"  {name:22}{scenario.missing() or scenario.summary}")
    lines.append("peers")
    for name in PEERS:
        peer = loadPeer(PEERS, name, None)
        lines.append(f"  {name:22}{peer.missing() or peer.version() or 'installed'}")
    return "\n".join(lines) + "\n"


def machine() -> dict[str, str | int]:
    """Return what the figures depend on besides the programs."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


@attrs.frozen
class Cores:
    """Where each part of a run is pinned; None means nowhere."""

    proxy: int | None = None
    load: int | None = None
    upstream: int | None = None


def chooseCores(options: Options, allowed: set[int]) -> Cores:
    """Return the cores wanted, or none at all with a warning when one is not there.

    :param allowed: the cores this process may use.
    """
    wanted = Cores(options.proxyCore, options.loadCore, options.upstreamCore)
    if not set(attrs.astuple(wanted)) <= allowed:
        say(f"warning: only the cores {sorted(allowed)} are there; nothing is pinned")
        return Cores()
    if wanted.proxy in (wanted.load, wanted.upstream):
        say("warning: candidates share their core with the load")
    return wanted


def settingsOf(options: Options, scenario: Scenario, upstream: Upstream) -> dict[str, int | str]:
    """Return how a scenario is run, for the reader."""
    load: dict[str, int | str] = {"connections": scenario.connections}
    if scenario.streams > 1:
        load["streams"] = scenario.streams
    if scenario.idle:
        load["idle"] = scenario.idle
    return {
        **load,
        "duration": options.settings.duration,
        "warmup": options.settings.warmup,
        "body": options.body,
        "upstream": upstream.serverOf(scenario.legs[-1]),
    }


def prepare(cores: Cores, scenarios: Sequence[Scenario]) -> None:
    """Move the harness to the load's core and raise the limit of open files."""
    if cores.load is not None:
        # The harness itself holds idle connections: not on the candidate's core.
        os.sched_setaffinity(0, {cores.load})
    most = max(scenario.connections + scenario.idle for scenario in scenarios)
    wanted = 2 * most + SPARE_FILES
    limit = raiseFileLimit(wanted)
    if limit < wanted:
        say(
            f"warning: only {limit} open files are allowed; a candidate with one upstream "
            f"connection for each client may need {wanted} (ulimit -n)"
        )


def measure(options: Options, scenarios: Sequence[Scenario], folder: Path) -> list[ScenarioReport]:
    """Run all scenarios against all candidates.

    :param folder: an empty directory for everything the run writes.
    :raises ProcessError: when the upstream does not start.
    :raises ValueError: when a command line is wrong.
    """
    peers = makePeers(options)
    cores = chooseCores(options, os.sched_getaffinity(0))
    prepare(cores, scenarios)
    body, ports = makeBody(options.body), Ports(os.getpid() * 7)
    pause = threading.Event().wait
    reports = []
    with Nursery(folder) as nursery:
        upstream = startUpstream(nursery, options.upstream, body, folder, cores.upstream, ports)
        for scenario in scenarios:
            own = folderFor(folder, scenario)
            stage = Stage(nursery, own, cores.load, cores.proxy, body, pause)
            runner = Runner(scenario, stage, ports, upstream.ports, say)
            candidates = [
                Candidate(name, peer, scenario.legsFor(peer)) for name, peer in peers.items()
            ]
            outcomes = runner.run(candidates, options.rounds)
            settings = settingsOf(options, scenario, upstream)
            reports.append(reportOf(scenario, settings, options.rounds, outcomes))
    return reports


def reportOf(
    scenario: Scenario,
    settings: Mapping[str, int | str],
    rounds: int,
    outcomes: Sequence[Outcome],
) -> ScenarioReport:
    """Return what came out of one scenario."""
    return ScenarioReport(
        scenario.name,
        scenario.summary,
        scenario.metrics,
        scenario.goals,
        settings,
        rounds,
        outcomes,
    )


def document(reports: Sequence[ScenarioReport], started: datetime.datetime) -> dict[str, Any]:
    """Return the content of the JSON file."""
    return {
        "started": started.isoformat(timespec="seconds"),
        "machine": machine(),
        "scenarios": [asJson(report) for report in reports],
    }


def main(arguments: Sequence[str]) -> int:
    """Run the harness.

    :return: 0 when all went well, 1 when a candidate failed or a round had errors, 2 when the
        run could not be made.
    """
    options = parseOptions(arguments)
    if options.showList:
        sys.stdout.write(describe())
        return OK
    scenarios = [loadScenario(SCENARIOS, name, options.settings) for name in options.scenarios]
    if missing := [text for scenario in scenarios if (text := scenario.missing())]:
        say("\n".join(dict.fromkeys(missing)))
        return WRONG_USE
    started = datetime.datetime.now(datetime.UTC)
    try:
        with tempfile.TemporaryDirectory(prefix="mosntx-bench-") as folder:
            reports = measure(options, scenarios, Path(folder))
    except (ProcessError, ValueError) as error:
        say(str(error))
        return WRONG_USE
    except KeyboardInterrupt:
        say("interrupted; every process was ended")
        return 130
    for report in reports:
        sys.stdout.write(asText(report) + "\n")
    if options.output is not None:
        options.output.write_text(json.dumps(document(reports, started), indent=2) + "\n")
    return OK if all(report.flawless for report in reports) else FLAWED
