"""Tests of the order of things in a run, with candidates that are no processes."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.candidate import Candidate
from bench.check import AnswerError
from bench.peers.base import Peer
from bench.place import HTTP1, Place
from bench.process import Nursery, Ports, ProcessError
from bench.results import Metric, Outcome, Sample
from bench.runner import Runner
from bench.scenarios.base import Scenario, Settings, Stage


class PaperPeer(Peer):
    """A peer that is never started."""

    name = "paper"
    program = "paper"
    install = "buy paper"

    def __init__(self, lacking: str | None = None) -> None:
        super().__init__()
        self.lacking = lacking

    def missing(self) -> str | None:
        """See `Peer.missing`."""
        return self.lacking

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        return []


class PaperCandidate(Candidate):
    """Writes down what is done with it."""

    def __init__(self, name: str, book: list[str], peer: Peer | None = None) -> None:
        super().__init__(name, peer or PaperPeer(), (HTTP1, HTTP1))
        self.book = book
        self.broken = False
        self.dead = False

    def start(self, *arguments: object) -> None:
        """See `Candidate.start`."""
        self.book.append(f"start {self.name}")
        if self.broken:
            raise ProcessError(f"{self.name}: does not start")

    def end(self, nursery: Nursery) -> None:
        """See `Candidate.end`."""
        self.book.append(f"end {self.name}")

    def park(self) -> None:
        """See `Candidate.park`."""
        self.book.append(f"park {self.name}")

    def resume(self) -> None:
        """See `Candidate.resume`."""
        self.book.append(f"resume {self.name}")

    def requireAlive(self) -> None:
        """See `Candidate.requireAlive`."""
        if self.dead:
            raise ProcessError(f"{self.name}: died")


class PaperScenario(Scenario):
    """Measures the number of the round."""

    name = "paper"
    summary = "no load"
    metrics = (Metric("turn", "turn"),)
    failing: str | None = None

    def measure(self, candidate: Candidate, stage: Stage, turn: int) -> Sample:
        """See `Scenario.measure`."""
        assert isinstance(candidate, PaperCandidate)
        candidate.book.append(f"measure {candidate.name} {turn}")
        if candidate.name == self.failing and turn == 2:
            raise ProcessError("wrk: failed")
        return Sample(turn, {"turn": float(turn)})


class FreshScenario(PaperScenario):
    """The same with a new candidate for each round."""

    fresh = True


class RunnerTests(SynchronousTestCase):
    """`Runner.run`."""

    def setUp(self) -> None:
        self.book: list[str] = []
        self.said: list[str] = []
        self.wrong: set[str] = set()

    def candidates(self, names: str) -> list[PaperCandidate]:
        """Return one candidate per letter."""
        return [PaperCandidate(name, self.book) for name in names]

    def run_(
        self, scenario: Scenario, candidates: list[PaperCandidate], rounds: int
    ) -> list[Outcome]:
        """Run without a process."""
        folder = Path(self.mktemp())
        stage = Stage(Nursery(folder), folder, None, None, b"body", self.fail)

        def check(protocol: str, port: int, body: bytes) -> None:
            if self.book[-1].removeprefix("start ") in self.wrong:
                raise AnswerError("status 500")

        runner = Runner(scenario, stage, Ports(0), {}, self.said.append, check)
        return runner.run(candidates, rounds)

    def test_interleaved(self) -> None:
        """Candidates take turns: A B C A B C, and only the measured one is not parked."""
        self.run_(PaperScenario(Settings()), self.candidates("ABC"), 2)
        measured = [line for line in self.book if line.startswith("measure")]
        self.assertEqual(
            measured,
            [
                "measure A 1",
                "measure B 1",
                "measure C 1",
                "measure A 2",
                "measure B 2",
                "measure C 2",
            ],
        )
        for number, line in enumerate(self.book):
            if line.startswith("measure"):
                name = line.split()[1]
                self.assertEqual(self.book[number - 1], f"resume {name}")
                self.assertEqual(self.book[number + 1], f"park {name}")
        self.assertEqual(self.book[-3:], ["end A", "end B", "end C"])

    def test_fresh(self) -> None:
        """A scenario that needs it gets a new process for each round, one at a time."""
        outcomes = self.run_(FreshScenario(Settings()), self.candidates("AB"), 2)
        steps = [line for line in self.book if line.split()[0] in ("start", "measure", "end")]
        self.assertEqual(
            steps[:6], ["start A", "measure A 1", "end A", "start B", "measure B 1", "end B"]
        )
        self.assertEqual([len(outcome.samples) for outcome in outcomes], [2, 2])

    def test_notInstalled(self) -> None:
        """A peer that is missing is not started, and is no failure."""
        missing = PaperCandidate("B", self.book, PaperPeer("not installed: buy paper"))
        first, second = self.run_(PaperScenario(Settings()), [*self.candidates("A"), missing], 1)
        self.assertEqual(first.state, "ok")
        self.assertEqual(
            (second.state, second.problem), ("not installed", "not installed: buy paper")
        )
        self.assertNotIn("start B", self.book)

    def test_doesNotStart(self) -> None:
        """A candidate that does not start is ended and reported; the others go on."""
        candidates = self.candidates("AB")
        candidates[0].broken = True
        first, second = self.run_(PaperScenario(Settings()), candidates, 2)
        self.assertEqual((first.state, first.problem), ("failed", "A: does not start"))
        self.assertIn("end A", self.book[: self.book.index("start B")])
        self.assertEqual(len(second.samples), 2)

    def test_wrongAnswer(self) -> None:
        """A candidate that answers wrongly is never timed."""
        self.wrong = {"A"}
        first, _ = self.run_(PaperScenario(Settings()), self.candidates("AB"), 1)
        self.assertEqual((first.state, first.problem), ("failed", "status 500"))
        self.assertNotIn("measure A 1", self.book)

    def test_failsLater(self) -> None:
        """A failure in a later round keeps the rounds before, and ends its part."""
        scenario = PaperScenario(Settings())
        scenario.failing = "A"
        first, second = self.run_(scenario, self.candidates("AB"), 3)
        self.assertEqual((first.state, first.problem), ("failed", "wrk: failed"))
        self.assertEqual(len(first.samples), 1)
        self.assertEqual(len(second.samples), 3)
        self.assertNotIn("measure A 3", self.book)

    def test_diesUnderLoad(self) -> None:
        """When the candidate died, that is reported and not the load generator's complaint."""
        scenario = PaperScenario(Settings())
        scenario.failing = "A"
        candidates = self.candidates("A")
        candidates[0].dead = True
        (outcome,) = self.run_(scenario, candidates, 2)
        self.assertEqual((outcome.state, outcome.problem), ("failed", "A: died"))
        self.assertEqual(outcome.samples, ())
