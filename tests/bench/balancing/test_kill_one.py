"""Tests of what `bench.balancing.kill_one` makes of a run."""

from __future__ import annotations

from xml.etree import ElementTree

import attrs
from twisted.trial.unittest import SynchronousTestCase

from bench.balancing.calls import NO_ANSWER, Answer
from bench.balancing.kill_one import (
    HOSTS,
    KILLED,
    SLOW,
    Event,
    Story,
    drawing,
    meant,
    noticed,
    problems,
    report,
)

#: Requests per second of the made-up run; the host dies at 10 s and is back at 21 s.
RATE = 200
EVENTS = [Event(10.0, "killed"), Event(10.5, "ejected"), Event(20.0, "started")]
BACK = 21.0


def answers(slowly: bool = True) -> list[Answer]:
    """Return 40 seconds in which every host gets what it should."""
    found, credit = [], 0.0
    for number in range(40 * RATE):
        at = number / RATE
        share = 1 / 3
        if 10.0 <= at < BACK:
            share = 0.0
        elif at >= BACK and slowly:
            share = meant(int(at - BACK))
        credit += share
        if credit >= 1.0 or (at == BACK and share):
            credit -= 1.0
            host = KILLED
        else:
            host = HOSTS[1 + number % 2]
        found.append(Answer(at, 0.002, 200, host))
    return found


class StoryTests(SynchronousTestCase):
    """Judging a run."""

    def setUp(self) -> None:
        """A run in which all is as it should be."""
        self.story = Story(40.0, answers(), EVENTS)

    def test_good(self) -> None:
        """Nothing is wrong, and the numbers say what happened."""
        self.assertEqual(problems(self.story), [])
        self.assertEqual((self.story.back, self.story.ejectedAfter), (BACK, 0.5))
        text = report(self.story)
        self.assertIn("8000 requests in 40 s, failed 0", text)
        self.assertIn("from the kill to the ejection 500 ms", text)
        self.assertNotIn("NOT GOOD", text)

    def test_failed(self) -> None:
        """A request without answer is told."""
        more = [*self.story.answers, Answer(11.0, 1.0, NO_ANSWER, "")]
        story = attrs.evolve(self.story, answers=more)
        self.assertEqual(problems(story), ["1 requests failed"])
        self.assertIn("NOT GOOD: 1 requests failed", report(story))

    def test_localReply(self) -> None:
        """A request that the daemon answers itself is told with what it said."""
        more = [*self.story.answers, Answer(11.0, 1.0, 502, "no connection\n")]
        story = attrs.evolve(self.story, answers=more)
        self.assertIn("failed 1 times: 502 'no connection\\n'", report(story))

    def test_lateEjection(self) -> None:
        """More than two intervals until the ejection, or none, is told."""
        for events in ([EVENTS[0], Event(12.5, "ejected"), EVENTS[2]], [EVENTS[0], EVENTS[2]]):
            story = attrs.evolve(self.story, events=events)
            self.assertEqual(problems(story), ["not ejected within two intervals"])

    def test_atOnce(self) -> None:
        """A host that gets its full share at once is told."""
        story = attrs.evolve(self.story, answers=answers(slowly=False))
        self.assertEqual(problems(story), ["shares after the return are not those of slow start"])

    def test_notBack(self) -> None:
        """A host that never comes back is told."""
        gone = [one for one in answers() if one.host != KILLED or one.at < 10.0]
        story = attrs.evolve(self.story, answers=gone)
        self.assertEqual(problems(story), ["not back early enough to see slow start"])
        self.assertEqual(story.shares(), [])

    def test_drawing(self) -> None:
        """The drawing has a curve for each host."""
        root = ElementTree.fromstring(drawing(self.story))
        self.assertEqual(sum(each.tag.endswith("polyline") for each in root.iter()), len(HOSTS))

    def test_meant(self) -> None:
        """Slow start ends with a third for each of three hosts, and begins with a tenth of that."""
        self.assertEqual(meant(int(SLOW) + 1), 1 / 3)
        self.assertAlmostEqual(meant(0), 0.1 / 2.1)

    def test_log(self) -> None:
        """Ejections of the host are read from the daemon's log, those of others are not."""
        line = "[warn] application: host 127.0.0.1:9001 is {}\n"
        ejected = line.format("ejected for 2 s: 5 failures one after the other")
        detail = "for 2 s: 5 failures one after the other"
        self.assertEqual(noticed(ejected, "127.0.0.1:9001", 3.0), Event(3.0, "ejected", detail))
        again = noticed(line.format("let in again"), "127.0.0.1:9001", 4.0)
        self.assertEqual(again, Event(4.0, "let in", "again"))
        self.assertIsNone(noticed(ejected, "127.0.0.1:900", 3.0))
        self.assertIsNone(noticed("[info] started", "127.0.0.1:9001", 3.0))
