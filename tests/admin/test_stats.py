"""Tests of `mosntx.admin.stats`."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from tests.admin.requests import adminAsk


class StatsTests(SynchronousTestCase):
    """The endpoints for stats."""

    def test_all(self) -> None:
        """Everything, as JSON of strings."""
        reply = adminAsk("GET", "/api/v1/stats")
        self.assertEqual(reply.fields["content-type"], "application/json")
        self.assertEqual(reply.json["downstream"]["proxy.global"]["request_total"], "5")
        self.assertEqual(reply.json["upstream"]["cluster.c"]["request_total"], "3")

    def test_key(self) -> None:
        """One object."""
        name = "cluster.c.host.127.0.0.1:8080"
        reply = adminAsk("GET", f"/api/v1/stats?key=upstream.{name}")
        self.assertEqual(list(reply.json), ["upstream"])
        self.assertEqual(list(reply.json["upstream"]), [name])

    def test_unknownKey(self) -> None:
        """An unknown object is named in a plain text with status 200, as in MOSN."""
        reply = adminAsk("GET", "/api/v1/stats?key=upstream.x%0a")
        self.assertEqual((reply.status, reply.body), (200, "no metrics key: upstream.x\n"))
        self.assertEqual(reply.fields["content-type"], "text/plain; charset=utf-8")

    def test_tooMany(self) -> None:
        """Two parameters are too many."""
        reply = adminAsk("GET", "/api/v1/stats?key=a&x=b")
        self.assertEqual((reply.status, reply.body), (400, "only support one parameter"))

    def test_global(self) -> None:
        """The global sums as lines."""
        reply = adminAsk("GET", "/api/v1/stats_glob")
        self.assertIn("\nrequest_total:5\n", reply.body)
        self.assertNotIn("upstream", reply.body)

    def test_metrics(self) -> None:
        """Prometheus reads the exposition."""
        reply = adminAsk("GET", "/metrics")
        self.assertEqual(reply.fields["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        names = {family.name for family in text_string_to_metric_families(reply.body)}
        self.assertIn("downstream_request", names)
        self.assertIn("process_cpu_seconds", names)
