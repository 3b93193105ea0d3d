"""The rounds: A B C A B C, so that all candidates see the same moods of the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from bench.candidate import Candidate
from bench.check import AnswerError, verify
from bench.drivers.base import ReportError
from bench.process import Ports, ProcessError
from bench.results import Outcome, Sample, State
from bench.scenarios.base import Scenario, Stage

#: What may go wrong with one candidate without ending the run.
FAILURES = (ProcessError, AnswerError, ReportError)


@attrs.define
class Turn:
    """What is known about one candidate so far."""

    candidate: Candidate
    state: State = "ok"
    problem: str = ""
    version: str = ""
    note: str = ""
    samples: list[Sample] = attrs.field(factory=list)

    def outcome(self) -> Outcome:
        """Return the result."""
        return Outcome(
            self.candidate.name,
            self.state,
            tuple(self.samples),
            self.problem,
            self.version,
            self.note,
        )


class Runner:
    """Measures candidates in one scenario.

    :param stage: where processes and files of the run are.
    :param upstreams: protocol to port of the upstream.
    :param say: takes a line about progress.
    :param check: sees that a candidate answers rightly, see `verify`.
    """

    def __init__(
        self,
        scenario: Scenario,
        stage: Stage,
        ports: Ports,
        upstreams: Mapping[str, int],
        say: Callable[[str], None],
        check: Callable[[str, int, bytes], None] = verify,
    ) -> None:
        self._scenario = scenario
        self._stage = stage
        self._ports = ports
        self._upstreams = upstreams
        self._say = say
        self._check = check

    def run(self, candidates: Sequence[Candidate], rounds: int) -> list[Outcome]:
        """Measure all candidates; one that cannot be measured has an outcome that says why."""
        turns = [self._admit(candidate) for candidate in candidates]
        if not self._scenario.fresh:
            for turn in turns:
                self._guard(turn, self._startAndPark)
        for number in range(1, rounds + 1):
            for turn in turns:
                if turn.state == "ok":
                    self._say(f"{self._scenario.name} {number}/{rounds} {turn.candidate.name}")
                    self._guard(turn, self._measureFresh if self._scenario.fresh else self._measure)
        for turn in turns:
            turn.candidate.end(self._stage.nursery)
        return [turn.outcome() for turn in turns]

    def _admit(self, candidate: Candidate) -> Turn:
        """Return a turn, already decided for a candidate that cannot take part."""
        peer = candidate.peer
        turn = Turn(candidate, note=self._scenario.noteFor(peer))
        if missing := peer.missing():
            turn.state, turn.problem = "not installed", missing
        elif unsupported := peer.unsupported(candidate.legs):
            turn.state, turn.problem = "unsupported", unsupported
        else:
            turn.version = peer.version()
        return turn

    def _guard(self, turn: Turn, step: Callable[[Turn], None]) -> None:
        """Do one step of a candidate that takes part; a failure ends its part, not the run."""
        if turn.state != "ok":
            return
        try:
            step(turn)
        except FAILURES as failure:
            turn.state, turn.problem = "failed", str(failure)
            self._say(f"{turn.candidate.name} failed: {failure}")
            turn.candidate.end(self._stage.nursery)

    def _start(self, turn: Turn) -> None:
        """Start a candidate and see that it answers rightly."""
        folder = self._stage.folder
        connections = self._scenario.connections + self._scenario.idle
        turn.candidate.start(
            self._stage.nursery,
            self._ports,
            self._upstreams,
            folder,
            self._stage.proxyCore,
            connections,
        )
        self._check(turn.candidate.legs[0], turn.candidate.port, self._stage.body)

    def _startAndPark(self, turn: Turn) -> None:
        """Start a candidate and keep it off the core until its turn comes."""
        self._start(turn)
        turn.candidate.park()

    def _measureFresh(self, turn: Turn) -> None:
        """Measure a candidate that lives for this one round."""
        self._start(turn)
        self._measure(turn)
        turn.candidate.end(self._stage.nursery)

    def _measure(self, turn: Turn) -> None:
        """Measure a candidate once."""
        number = len(turn.samples) + 1
        turn.candidate.resume()
        try:
            sample = self._scenario.measure(turn.candidate, self._stage, number)
        finally:
            # A load generator that fails because the candidate died is not the news.
            turn.candidate.requireAlive()
        turn.candidate.park()
        turn.samples.append(sample)


def folderFor(root: Path, scenario: Scenario) -> Path:
    """Make and return the directory of one scenario below the run's own."""
    folder = root / scenario.name
    folder.mkdir()
    return folder
