"""Tests of `mosntx.proxy.recorder`: what is known of a request that failed."""

from __future__ import annotations

from typing import Any

from mosntx.proxy.reasons import REASONS
from mosntx.proxy.recorder import MAX_TRIES, FailureEntry, FlightRecorder
from mosntx.testing.exchange import FinishedExchange
from mosntx.testing.requests import httpRequest
from tests.proxy.build import GET, OK, MeshTestCase, post, response, toCluster

BAD = response(b"no", b"503 Service Unavailable")
RETRY = {"retry_on": True, "num_retries": 1}


class RecorderCase(MeshTestCase):
    """Looks at what the recorder of a Sidecar keeps."""

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The report of the Sidecar."""
        found: list[dict[str, Any]] = self.running.sidecar.failures()["failures"]
        return found

    def only(self, reason: str) -> dict[str, Any]:
        """Return the one failure there is, which must be for this reason."""
        (entry,) = self.failures
        self.assertEqual(entry["reason"], reason)
        return entry


class ReasonTests(RecorderCase):
    """What went wrong, and the reason that is kept."""

    def test_answered(self) -> None:
        """An answer of the upstream is no failure, whatever its status, and neither a redirect."""
        elsewhere = {"match": {"prefix": "/old"}, "redirect": {"path_redirect": "/new"}}
        self.begin(elsewhere, toCluster())
        client, upstream = self.get()
        upstream.send(OK)
        client.send(GET)
        upstream.send(BAD)
        client.send(GET.replace(b"/ ", b"/old "))
        self.assertEqual((len(self.witness.ended), self.failures), (3, []))

    def test_noRoute(self) -> None:
        """Nothing was tried."""
        self.begin(toCluster(prefix="/app"))
        self.running.client("front").send(GET)
        entry = self.only("no_route")
        self.assertEqual((entry["status"], entry["tries"], entry["cluster"]), (404, [], ""))
        self.assertEqual((entry["method"], entry["target"]), ("GET", "a/"))

    def test_noHost(self) -> None:
        """A cluster without hosts."""
        self.begin(hosts=0)
        self.running.client("front").send(GET)
        self.assertEqual(self.only("no_healthy_host")["cluster"], "app")

    def test_connectRefused(self) -> None:
        """Each host that was tried, with what the system said."""
        mesh = self.begin(hosts=2)
        mesh.client("front").send(GET)
        while mesh.dialled:
            mesh.refuse()
            mesh.advance(0.05)
        entry = self.only("connect_failed")
        self.assertGreater(len(entry["tries"]), 1)
        self.assertEqual({one["outcome"] for one in entry["tries"]}, {"connect_failed"})
        self.assertEqual(len({one["host"] for one in entry["tries"]}), 2)
        self.assertIn("refused", entry["tries"][0]["detail"])
        self.assertIsNone(entry["tries"][0]["sent_ms"])

    def test_connectionLost(self) -> None:
        """The upstream closes before its answer."""
        self.begin()
        self.running.advance(5)
        _, upstream = self.get(post(b"abc"))
        self.running.advance(0.2)
        upstream.finish()
        (one,) = self.only("connection_lost")["tries"]
        self.assertEqual(one["host"], "127.0.0.1:9001")
        self.assertEqual((one["began_ms"], one["sent_ms"], one["ended_ms"]), (0, 0, 200))

    def test_timeout(self) -> None:
        """The limit that was hit, with its value."""
        self.begin(toCluster(timeout="2s"))
        self.get()
        self.running.advance(2.1)
        self.assertEqual(self.only("timeout")["limit"], "timeout: 2s")

    def test_tryTimeout(self) -> None:
        """A repetition that took too long, after an answer that was thrown away."""
        self.begin(toCluster(timeout="9s", retry_policy={**RETRY, "retry_timeout": "1s"}))
        _, upstream = self.get()
        upstream.send(BAD)
        self.running.advance(0.05)
        self.running.upstream()
        self.running.advance(1.1)
        entry = self.only("try_timeout")
        self.assertEqual([one["outcome"] for one in entry["tries"]], ["status 503", "try_timeout"])
        self.assertEqual(entry["limit"], "retry_policy.retry_timeout: 1s")

    def test_repeatedWell(self) -> None:
        """A request that succeeds at the second attempt has not failed."""
        self.begin(toCluster(retry_policy=RETRY))
        _, upstream = self.get()
        upstream.send(BAD)
        self.running.advance(0.05)
        self.running.upstream().send(OK)
        self.assertEqual(self.failures, [])

    def test_limits(self) -> None:
        """The circuit breakers tell which of them it was."""
        for name, reason in (
            ("max_requests", "cluster_requests"),
            ("max_connections", "pool_timeout"),
        ):
            mesh = self.begin(cluster={"circuit_breakers": [{name: 1}], "pending_timeout": "1s"})
            _, upstream = self.get()
            mesh.client("front").send(GET)
            mesh.advance(1.1)
            entry = self.only(reason)
            self.assertTrue(entry["limit"].startswith(REASONS[reason].limit))
            upstream.send(OK)
            self.tearDown()

    def test_clientGone(self) -> None:
        """The client gives up."""
        self.begin()
        client, _ = self.get()
        client.reset()
        self.only("client_gone")

    def test_filter(self) -> None:
        """A filter's error."""
        fault = {"type": "fault", "config": {"abort": {"status": 418, "percentage": 100}}}
        self.begin(filters=[fault])
        self.running.client("front").send(GET)
        self.assertEqual(self.only("fault_injected")["status"], 418)


class HeaderTests(RecorderCase):
    """``reason_header`` of the network filter."""

    def test_on(self) -> None:
        """A local reply says why; an upstream's answer says nothing."""
        self.begin(hosts=1, proxy={"reason_header": True})
        client, upstream = self.get()
        upstream.finish()
        self.assertIn(b"X-Mosntx-Reason: connection_lost\r\n", client.take())
        client, upstream = self.get()
        upstream.send(BAD)
        self.assertEqual(client.take(), BAD)

    def test_off(self) -> None:
        """Unless it is asked for, clients learn nothing."""
        self.begin(toCluster(prefix="/app"))
        client = self.running.client("front")
        client.send(GET)
        self.assertNotIn(b"X-Mosntx", client.take())


def failed(target: bytes = b"/", reason: str = "timeout") -> Any:
    """Return an exchange that has failed."""
    exchange: Any = FinishedExchange(httpRequest(path=target))
    exchange.reason = reason
    exchange.tries = None
    exchange.listener.timeouts = lambda route, request: (2.0, 0.0)
    return exchange


class BudgetTests(MeshTestCase):
    """How much is kept."""

    def recorder(self, **limits: int) -> FlightRecorder:
        """Return one whose clock stands at 1000 s."""
        return FlightRecorder(lambda: 1000.0, **limits)

    def numbers(self, recorder: FlightRecorder) -> list[int]:
        """Return the numbers of what is kept."""
        return [entry.number for entry in recorder.entries()]

    def test_order(self) -> None:
        """The last failure comes first."""
        recorder = self.recorder()
        for _ in range(3):
            recorder.record(failed())
        self.assertEqual(self.numbers(recorder), [3, 2, 1])
        self.assertEqual(next(recorder.entries()).time, 1000.0)

    def test_entries(self) -> None:
        """The oldest go when there are too many; the counts stay."""
        recorder = self.recorder(maxEntries=2)
        for _ in range(3):
            recorder.record(failed())
        self.assertEqual(self.numbers(recorder), [3, 2])
        self.assertEqual(recorder.counts, {"timeout": 3})

    def test_octets(self) -> None:
        """Long targets push more out."""
        recorder = self.recorder(maxOctets=3000)
        for size in (1, 1, 1, 5000, 5000):
            recorder.record(failed(b"/" + b"x" * size))
        kept: list[FailureEntry] = list(recorder.entries())
        self.assertLessEqual(sum(entry.octets for entry in kept), 3000)
        self.assertEqual(self.numbers(recorder), [5, 4, 3])
        self.assertLess(len(kept[0].target), 300)

    def test_manyTries(self) -> None:
        """A request that is repeated without end keeps its first attempts only."""
        self.begin(toCluster(timeout="60s", retry_policy={"retry_on": True, "num_retries": 40}))
        _, upstream = self.get()
        while not self.witness.ended:
            upstream.send(BAD)
            self.running.advance(0.05)
            if self.running.dialled:
                upstream = self.running.upstream()
        (exchange,) = self.witness.ended
        self.assertEqual(len(exchange.tries), MAX_TRIES)
