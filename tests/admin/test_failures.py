"""Tests of `mosntx.admin.failures`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.admin.requests import Reply, adminAsk

REPORT = {
    "counts": {"no_route": 2, "timeout": 1},
    "failures": [
        {"number": 3, "reason": "no_route"},
        {"number": 2, "reason": "timeout"},
        {"number": 1, "reason": "no_route"},
    ],
}


class FailuresTests(SynchronousTestCase):
    """The endpoint for failures."""

    def ask(self, query: str = "") -> Reply:
        """Ask an API that has `REPORT`."""
        return adminAsk("GET", f"/api/v1/failures{query}", failures=lambda: REPORT)

    def numbers(self, query: str) -> list[int]:
        """Return the numbers of the failures that are listed."""
        return [each["number"] for each in self.ask(query).json["failures"]]

    def test_all(self) -> None:
        """Everything, as JSON."""
        reply = self.ask()
        self.assertEqual((reply.status, reply.json), (200, REPORT))
        self.assertEqual(reply.fields["content-type"], "application/json")

    def test_some(self) -> None:
        """So many, of one reason, or both."""
        self.assertEqual(self.numbers("?limit=2"), [3, 2])
        self.assertEqual(self.numbers("?reason=no_route"), [3, 1])
        self.assertEqual(self.numbers("?reason=no_route&limit=1"), [3])

    def test_counts(self) -> None:
        """The counts are of all, whatever is listed."""
        self.assertEqual(self.ask("?limit=0").json["counts"], REPORT["counts"])

    def test_wrong(self) -> None:
        """Mistakes are named."""
        reply = self.ask("?max=2")
        self.assertEqual(reply.status, 400)
        self.assertIn("unknown parameter max", reply.json["error"])
        self.assertEqual(self.ask("?limit=few").status, 400)
