"""Tests of `bench.balancing.distribution`."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.balancing.distribution import (
    HASHING,
    SERVICES,
    Service,
    main,
    placeKeys,
    simulate,
    table,
)

TABLES = Path(__file__).parents[3] / "docs" / "reference" / "_balancers.rst"


class SpreadTests(SynchronousTestCase):
    """What is measured."""

    def test_weights(self) -> None:
        """Shares add up and follow the weights."""
        spread = simulate(Service("LB_WEIGHTED_ROUNDROBIN", False, (4, 3, 2, 1)), 5.0)
        self.assertAlmostEqual(sum(spread.shares), 1.0)
        for share, meant in zip(spread.shares, (0.4, 0.3, 0.2, 0.1), strict=True):
            self.assertLess(abs(share - meant), 0.01)

    def test_slow(self) -> None:
        """A slow host gets less from the balancers that look at hosts, and not from others."""
        last = {
            service.balancer: simulate(service, 10.0).shares[-1]
            for service in SERVICES
            if service.slow
        }
        self.assertLess(abs(last["LB_ROUNDROBIN"] - 0.25), 0.01)
        self.assertLess(last["LB_LEAST_REQUEST"], 0.15)
        self.assertLess(last["LB_PEAK_EWMA"], 0.15)

    def test_keys(self) -> None:
        """Few keys of other hosts move when one leaves, with the ring none."""
        for name in HASHING:
            found = placeKeys(name, 10, 5000)
            self.assertTrue(0.7 < found.least < 1 < found.most < 1.3, found)
            self.assertLess(abs(found.left - 0.1), 0.03)
            self.assertLess(found.moved, 0.02)
        self.assertEqual(placeKeys("LB_RING_HASH", 10, 5000).moved, 0.0)


class TableTests(SynchronousTestCase):
    """What is printed."""

    def balancers(self, text: str) -> list[str]:
        """Return the first cells of all tables, without those of heads."""
        cells = [line.split()[0] for line in text.splitlines() if line]
        return [cell.strip("`") for cell in cells if cell.startswith("``")]

    def test_table(self) -> None:
        """Columns are as wide as their widest cell."""
        found = table([["a", "bcd"], ["ef", ""], ["g", "h"]])
        self.assertEqual(found, "==  ===\na   bcd\n==  ===\nef\ng   h\n==  ===\n")

    def test_main(self) -> None:
        """It prints a line for each service, and for each balancer by hash and number of hosts."""
        out = StringIO()
        with redirect_stdout(out):
            main(["--seconds", "1", "--keys", "500", "--hosts", "5"])
        names = [service.balancer for service in SERVICES]
        self.assertEqual(self.balancers(out.getvalue()), [*names, *HASHING])

    def test_manual(self) -> None:
        """The tables of the manual have the same lines, with two numbers of hosts."""
        hashing = [name for name in HASHING for _ in range(2)]
        names = [service.balancer for service in SERVICES]
        self.assertEqual(self.balancers(TABLES.read_text("utf-8")), [*names, *hashing])
