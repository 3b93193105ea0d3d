"""Tests of `mosntx.admin.explain`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.admin.requests import adminAsk


class ExplainTests(SynchronousTestCase):
    """The endpoint that explains."""

    def test_asked(self) -> None:
        """What is asked is handed on."""
        reply = adminAsk(
            "GET",
            "/api/v1/explain?listener=in&method=PUT&url=http://a/b%3fc=d"
            "&header=X-A:%201&header=b:2&source=10.0.0.1:7",
        )
        asked = ["in", "PUT", "http://a/b?c=d", [["X-A", "1"], ["b", "2"]], "10.0.0.1:7"]
        self.assertEqual((reply.status, reply.json), (200, {"asked": asked}))

    def test_defaults(self) -> None:
        """Without anything it is a request of RPC to the only listener."""
        reply = adminAsk("GET", "/api/v1/explain")
        self.assertEqual(reply.json["asked"][:4], ["", "GET", "", []])

    def test_wrong(self) -> None:
        """Mistakes are sentences with status 400."""

        def refuse(*asked: Any) -> Any:
            raise ValueError("there is no listener 'x'")

        for query, text in (
            ("path=/", "unknown parameter path"),
            ("header=none", "'none' is not of the form"),
            ("listener=x", "there is no listener 'x'"),
        ):
            reply = adminAsk("GET", f"/api/v1/explain?{query}", explain=refuse)
            self.assertEqual(reply.status, 400)
            self.assertIn(text, reply.json["error"])
