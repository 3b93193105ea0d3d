"""``python -m bench.balancing.kill_one``: one of three upstreams is killed, and comes back.

The real daemon under steady load of GETs, with ``retry_on``, outlier detection and slow start. One
upstream process is killed after a third of the time and started again after two thirds. No request
may fail, the host has to be ejected within two intervals, and comes back with slow start.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import attrs

from bench.balancing.calls import Answer, Load, withEvents
from bench.balancing.service import Service
from bench.drawing import Curves
from bench.process import Nursery

HOSTS = ("host-1", "host-2", "host-3")
KILLED = HOSTS[0]
#: Seconds between two looks at the daemon's log: how exact the times of ejections are.
LOOK = 0.01
#: Seconds of an interval of the detection, and of slow start.
INTERVAL, SLOW = 1.0, 10.0
#: Seconds until an upstream answers: at the moment of the kill some requests are under way.
DELAY = 0.05
#: A share of a host that is back may differ by this much of what slow start says.
TOLERANCE = 0.05

CLUSTER = {
    "lb_type": "LB_WEIGHTED_ROUNDROBIN",
    "outlier_detection": {
        "interval": f"{INTERVAL:g}s",
        "base_ejection_time": "2s",
        "max_ejection_time": "4s",
    },
    "slow_start": {"mode": "duration", "slow_start_duration": f"{SLOW:g}s"},
}
ROUTE = {"retry_policy": {"retry_on": True, "num_retries": 2}}


@attrs.frozen
class Event:
    """Something that happened to the killed host.

    :ivar at: seconds since the beginning.
    :ivar detail: what the daemon's log says about it.
    """

    at: float
    what: str
    detail: str = ""


@attrs.frozen
class Story:
    """What happened in a run.

    :ivar length: seconds that requests were sent.
    :ivar events: in order: ``killed``, ``started``, ``ejected``, ``let in``.
    """

    length: float
    answers: Sequence[Answer]
    events: Sequence[Event]

    def first(self, what: str, after: float = 0.0) -> float | None:
        """Return when something happened first from a time on, ``None`` if it did not."""
        return next((one.at for one in self.events if one.what == what and one.at >= after), None)

    @property
    def back(self) -> float | None:
        """When the killed host got its first request after it had been started again."""
        started = self.first("started")
        times = [one.at for one in self.answers if one.host == KILLED]
        return min((at for at in times if started is not None and at > started), default=None)

    @property
    def ejectedAfter(self) -> float | None:
        """Seconds from the kill to the ejection."""
        killed = self.first("killed")
        ejected = None if killed is None else self.first("ejected", killed)
        return None if killed is None or ejected is None else ejected - killed

    @property
    def failed(self) -> int:
        """Requests that did not get a 200."""
        return sum(one.status != 200 for one in self.answers)

    def perHost(self, width: float) -> dict[str, list[float]]:
        """Return answers per second of each host, in spans of ``width`` seconds."""
        spans = {name: [0.0] * max(1, round(self.length / width)) for name in HOSTS}
        for one in self.answers:
            span = spans.get(one.host)  # the body of a local reply is not a host's name
            if span is not None:
                span[min(int(one.at / width), len(span) - 1)] += 1 / width
        return spans

    def shares(self) -> list[float]:
        """Return the killed host's share in each second after it is back, whole ones only."""
        back = self.back
        if back is None:
            return []
        seconds = int(min(SLOW + 2, self.length - back))
        among = [[0, 0] for _ in range(seconds)]
        for one in self.answers:
            if 0 <= one.at - back < seconds:
                counts = among[int(one.at - back)]
                counts[0] += one.host == KILLED
                counts[1] += 1
        return [mine / max(total, 1) for mine, total in among]


def meant(second: int) -> float:
    """Return the share that slow start means for a second after the return of one of three."""
    # A host counts as one second old at least; in the middle of the second it is half older.
    weight = min(1.0, max(1.0, second + 0.5) / SLOW)
    return weight / (weight + 2)


def problems(story: Story) -> list[str]:
    """Return what is not as it should be."""
    found = []
    if story.failed:
        found.append(f"{story.failed} requests failed")
    if story.ejectedAfter is None or story.ejectedAfter > 2 * INTERVAL:
        found.append("not ejected within two intervals")
    shares = story.shares()
    # One request more or less in a second is no mistake.
    tolerance = TOLERANCE + story.length / max(len(story.answers), 1)
    if len(shares) < SLOW:
        found.append("not back early enough to see slow start")
    elif any(abs(share - meant(n)) > tolerance for n, share in enumerate(shares)):
        found.append("shares after the return are not those of slow start")
    return found


def report(story: Story) -> str:
    """Return the numbers."""
    failures = Counter((one.status, one.host) for one in story.answers if one.status != 200)
    times = sorted(one.seconds * 1000 for one in story.answers)
    lines = [
        f"{len(times)} requests in {story.length:g} s, failed {story.failed}",
        f"ms until the answer: p50 {times[len(times) // 2]:.1f}, "
        f"p99 {times[len(times) * 99 // 100]:.1f}, highest {times[-1]:.1f}",
    ]
    lines += [f"failed {n} times: {status} {text!r}" for (status, text), n in failures.items()]
    lines += [f"{one.at:7.2f} s  {KILLED} {one.what} {one.detail}".rstrip() for one in story.events]
    if story.ejectedAfter is not None:
        lines.append(f"from the kill to the ejection {story.ejectedAfter * 1000:.0f} ms")
    lines.append("answers per second, by two seconds:")
    for name, values in story.perHost(2.0).items():
        lines.append(f"  {name} " + " ".join(f"{value:.0f}" for value in values))
    lines.append(f"share of {KILLED} in each second after its return, and what is meant:")
    lines.append("  " + " ".join(f"{share:.3f}" for share in story.shares()))
    lines.append("  " + " ".join(f"{meant(n):.3f}" for n in range(len(story.shares()))))
    return "\n".join([*lines, *(f"NOT GOOD: {one}" for one in problems(story))])


def drawing(story: Story) -> str:
    """Return requests per host over time as SVG."""
    marks = [(one.at, one.what) for one in story.events if one.what in ("killed", "started")]
    if story.back is not None:
        marks.append((story.back, "back, slowly"))
    title = "Answers per second and host"
    return Curves(title, "seconds", 0.5, story.perHost(0.5), marks).svg()


def noticed(line: str, address: str, now: float) -> Event | None:
    """Return the event that a line of the daemon's log tells of a host, ``None`` for others."""
    for what in ("ejected", "let in"):
        _, found, detail = line.partition(f"{address} is {what}")
        if found:
            return Event(now, what, detail.strip())
    return None


class Watch:
    """Notes when the daemon logs that the host is ejected or let in."""

    def __init__(self, service: Service, load: Load, events: list[Event]) -> None:
        self._service = service
        self._load = load
        self._events = events
        self._lines = 0

    async def run(self) -> None:
        """Look until it is cancelled."""
        address = self._service.address(KILLED)
        while True:
            lines = self._service.log().splitlines(keepends=True)
            whole = [line for line in lines if line.endswith("\n")]
            for line in whole[self._lines :]:
                event = noticed(line, address, self._load.now)
                if event is not None:
                    self._events.append(event)
            self._lines = len(whole)
            await asyncio.sleep(LOOK)


async def story(service: Service, seconds: float, rate: float, connections: int) -> Story:
    """Send requests, kill and start the upstream, and return what happened."""
    load = Load(service.port, connections, rate)
    events: list[Event] = []

    def kill() -> None:
        service.kill(KILLED)
        events.append(Event(load.now, "killed"))

    def start() -> None:
        service.startUpstream(KILLED)
        events.append(Event(load.now, "started"))

    plan = [(seconds / 3, kill), (2 * seconds / 3, start)]
    watching = asyncio.create_task(Watch(service, load, events).run())
    await withEvents(load, round(seconds * rate), plan)
    watching.cancel()
    return Story(seconds, load.answers, events)


def main(arguments: Sequence[str]) -> int:
    """Run, print the numbers, and draw.

    :return: 0 when all is as it should be, 1 otherwise.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.balancing.kill_one", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=300.0, help="requests per second")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--svg", type=Path, help="where to draw")
    options = parser.parse_args(arguments)
    weights = dict.fromkeys(HOSTS, 1)
    with tempfile.TemporaryDirectory(prefix="mosntx-bench-") as name, Nursery(Path(name)) as own:
        folder = Path(name)
        service = Service(own, folder, weights, cluster=CLUSTER, route=ROUTE, delay=DELAY)
        service.start()
        told = asyncio.run(story(service, options.seconds, options.rate, options.connections))
    print(report(told))
    if options.svg is not None:
        options.svg.write_text(drawing(told))
    return 1 if problems(told) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
