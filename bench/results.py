"""What a run gives: samples, their medians, and the ratios between candidates."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

#: Metric keys that say whether the others can be believed: the share of its core that the candidate
#: used, and the share that programs took which are no part of the run.
CORE_SHARE, OTHERS_SHARE = "core_share", "others_share"

#: ``ok``: measured (perhaps with errors in some rounds).
State = Literal["ok", "not installed", "unsupported", "failed"]


@attrs.frozen
class Metric:
    """A figure that a scenario measures.

    :param key: its name in JSON; ends with the unit, so that 0.002 ``p99_s`` needs no guess.
    :param title: its column in the table.
    :param scale: what the table multiplies it with.
    :param digits: decimals in the table.
    :param ratio: whether ratios between candidates are made of it.
    """

    key: str
    title: str
    scale: float = 1.0
    digits: int = 0
    ratio: bool = False


@attrs.frozen
class Sample:
    """One round of one candidate.

    :param round: counted from 1.
    :param values: metric key to value.
    :param errors: kind to number; a sample with errors is shown and left out of the medians.
    """

    round: int
    values: Mapping[str, float]
    errors: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.errors


@attrs.frozen
class Outcome:
    """All of one candidate.

    :param problem: why it was not measured, or not to the end.
    :param note: what a reader of the table has to know about it.
    """

    name: str
    state: State
    samples: Sequence[Sample] = ()
    problem: str = ""
    version: str = ""
    note: str = ""

    @property
    def cleanSamples(self) -> list[Sample]:
        """The samples that count."""
        return [sample for sample in self.samples if sample.clean]

    def median(self, key: str) -> float | None:
        """Return the median of the clean rounds, None when there is none."""
        values = [sample.values[key] for sample in self.cleanSamples if key in sample.values]
        return statistics.median(values) if values else None

    def spread(self, key: str) -> float | None:
        """Return (highest - lowest) / median; None for fewer than two clean rounds."""
        values = [sample.values[key] for sample in self.cleanSamples if key in sample.values]
        middle = self.median(key)
        return (max(values) - min(values)) / middle if middle and len(values) > 1 else None


@attrs.frozen
class Ratio:
    """One candidate against another.

    :param ratio: of the medians.
    :param low: lowest ratio within one round.
    :param high: highest ratio within one round.
    """

    ratio: float
    low: float
    high: float


def ratioOf(outcome: Outcome, reference: Outcome, key: str) -> Ratio | None:
    """Return `outcome` divided by `reference`.

    None when one has no median, the reference's is 0, or they have no clean round in common.
    """
    above, below = outcome.median(key), reference.median(key)
    if above is None or not below:
        return None
    others = {sample.round: sample.values[key] for sample in reference.cleanSamples}
    paired = [
        sample.values[key] / others[sample.round]
        for sample in outcome.cleanSamples
        if others.get(sample.round)
    ]
    if not paired:
        return None
    return Ratio(above / below, min(paired), max(paired))


@attrs.frozen
class Goal:
    """A figure the project wants to reach.

    :param key: the metric.
    :param reference: the candidate it is measured against; None for an absolute figure.
    :param atLeast: the lowest good value (of the ratio, with a reference).
    :param atMost: the highest good value.
    :param candidate: who has to reach it.
    """

    key: str
    reference: str | None = None
    atLeast: float | None = None
    atMost: float | None = None
    candidate: str = "mosntx"

    def value(self, outcomes: Sequence[Outcome]) -> float | None:
        """Return what was measured, None when that cannot be said."""
        named = {outcome.name: outcome for outcome in outcomes}
        own = named.get(self.candidate)
        if own is None:
            return None
        if self.reference is None:
            return own.median(self.key)
        other = named.get(self.reference)
        found = ratioOf(own, other, self.key) if other is not None else None
        return found.ratio if found is not None else None

    def reached(self, value: float) -> bool:
        """Return whether `value` is good enough."""
        if self.atLeast is not None and value < self.atLeast:
            return False
        return self.atMost is None or value <= self.atMost
