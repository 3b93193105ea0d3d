"""Tests of the figures at half load."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.rate import RateReport
from bench.results import OTHERS_SHARE
from bench.scenarios.base import Clocks
from bench.scenarios.http1_half import Http1Half, halfErrors, halfValues

RUN = RateReport(30_000, 10_000.0, 1e-4, 2e-3, 3e-3, 4e-3, 5e-5, {})


class HalfTests(SynchronousTestCase):
    """Figures and errors."""

    def test_values(self) -> None:
        """Each of the three runs has its columns; CPU is the share of the core in the first."""
        same = attrs.evolve(RUN, p99=7e-3)
        direct = attrs.evolve(RUN, p99=1e-3)
        values = halfValues(10_000.0, RUN, same, direct, Clocks(1.5, 1.65), 3)
        self.assertEqual(set(values), {metric.key for metric in Http1Half.metrics})
        self.assertEqual(values["half_core_share"], 0.5)
        self.assertAlmostEqual(values[OTHERS_SHARE], 0.05)
        self.assertEqual((values["p99_s"], values["rate_per_s"]), (2e-3, 10_000.0))
        self.assertEqual((values["same_p99_s"], values["direct_p99_s"]), (7e-3, 1e-3))
        self.assertEqual((values["p999_s"], values["max_s"]), (3e-3, 4e-3))
        self.assertEqual(values["lateness_p99_s"], 5e-5)

    def test_withoutReference(self) -> None:
        """Without mosntx in the run there is no common rate; without a core no strangers."""
        values = halfValues(10_000.0, RUN, None, RUN, Clocks(1.5, None), 3)
        self.assertNotIn("same_p99_s", values)
        self.assertNotIn(OTHERS_SHARE, values)

    def test_errors(self) -> None:
        """Errors of all runs are kept apart, and a rate that was not kept is one."""
        self.assertEqual(halfErrors(10_000.0, RUN, RUN, RUN), {})
        self.assertEqual(halfErrors(10_000.0, RUN, None, RUN), {})
        broken = attrs.evolve(RUN, errors={"closed": 2})
        self.assertEqual(
            halfErrors(10_500.0, broken, broken, broken),
            {"closed": 2, "same rate: closed": 2, "no proxy: closed": 2, "rate not kept": 1},
        )
