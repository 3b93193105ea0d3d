"""The page on resilience: its example, and that it names what there is."""

from __future__ import annotations

from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import AdaptiveConcurrency, BackOff, CircuitBreaker, RetryPolicy
from mosntx.proxy.reasons import REASONS
from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh, Peer
from mosntx.upstream.adaptive import FIRST_LIMIT

DOCS = Path(__file__).parents[2] / "docs"
GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"


class PageTests(SynchronousTestCase):
    """The tables."""

    def test_complete(self) -> None:
        """Every field of these settings is explained, and every failure it names exists."""
        page = (DOCS / "reference" / "resilience.rst").read_text("utf-8")
        for cls in (AdaptiveConcurrency, BackOff, CircuitBreaker, RetryPolicy):
            for one in attrs.fields(cls):
                if one.name not in ("path", "priority"):
                    self.assertIn(f"`{one.name}`", page)
        for code in (
            *("adaptive_limit", "cluster_requests", "pool_overflow", "pool_timeout"),
            *("connect_failed", "timeout", "try_timeout", "idle_timeout"),
        ):
            self.assertIn(code, REASONS)
            self.assertIn(f"``{code}``", page)


class ExampleTests(SynchronousTestCase):
    """The configuration."""

    def setUp(self) -> None:
        """Start it."""
        text = (DOCS / "examples" / "resilience.yaml").read_text("utf-8")
        self.mesh = MemoryMesh(text, catalog=standardCatalog())

    def tearDown(self) -> None:
        """Hang up and stop; nothing may be left."""
        self.mesh.hangUp()
        self.mesh.advance(5.0)
        self.mesh.sidecar.stopService()
        self.mesh.advance(5.0)
        self.assertEqual(self.mesh.timers, 0)

    def ask(self) -> Peer:
        """Send a request on a new connection."""
        client = self.mesh.client("in")
        client.send(GET)
        return client

    def answer(self, status: int) -> tuple[str, int]:
        """Let the host that is asked answer, and say which it was."""
        (place,) = self.mesh.dialled
        self.mesh.upstream().send(
            b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
        )
        return place

    def test_loads(self) -> None:
        """It loads without a warning."""
        self.assertEqual([str(problem) for problem in self.mesh.sidecar.loaded.problems], [])

    def test_retry(self) -> None:
        """A 503 is repeated on the other host; a 500 is not."""
        client = self.ask()
        first = self.answer(503)
        self.mesh.advance(0.05)
        self.assertNotEqual(self.answer(200), first)
        self.assertIn(b" 200 ", client.take())
        client = self.ask()
        self.answer(500)
        self.assertIn(b" 500 ", client.take())
        self.assertEqual(self.mesh.value("request_retry", cluster="pages"), 1)

    def test_timeouts(self) -> None:
        """An attempt has a second, the request three; the first one is hedged besides."""
        client = self.ask()
        upstreams = [self.mesh.upstream()]
        for _ in range(40):
            self.mesh.advance(0.1)
            if self.mesh.dialled:
                upstreams.append(self.mesh.upstream())
        answer = client.take()
        self.assertIn(b" 504 ", answer)
        self.assertIn(b"X-Mosntx-Reason: timeout\r\n", answer)
        self.assertEqual(len(upstreams), 4)
        self.assertEqual(self.mesh.value("request_hedge", cluster="pages"), 1)
        self.assertEqual(self.mesh.value("request_retry", cluster="pages"), 2)

    def test_adaptive(self) -> None:
        """Nothing is measured yet: the first limit holds, and the next request is refused."""
        clients = [self.ask() for _ in range(FIRST_LIMIT)]
        self.assertEqual({client.take() for client in clients}, {b""})
        answer = self.ask().take()
        self.assertIn(b" 503 ", answer)
        self.assertIn(b"X-Mosntx-Reason: adaptive_limit\r\n", answer)
