"""Tests of `mosntx.proxy.hedge`: a second attempt while the first is slow."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.mesh import Peer
from tests.proxy.build import GET, OK, MeshTestCase, post, response, toCluster
from tests.proxy.test_exchange_random import STEPS, History
from tests.proxy.test_exchange_random_limits import CLUSTER

BAD = response(b"no", b"503 Service Unavailable")


class HedgeTests(MeshTestCase):
    """`hedge_after` of a route."""

    def slow(self, request: bytes = GET, hosts: int = 2, **more: Any) -> tuple[Peer, Peer]:
        """Send a request whose first host does not answer in time; return client and host."""
        policy = {"hedge_after": "100ms", **more.pop("policy", {})}
        mesh = self.begin(
            toCluster(retry_policy=policy, **more.pop("route", {})), hosts=hosts, **more
        )
        client, first = self.get(request)
        mesh.advance(0.08)
        self.assertEqual(mesh.dialled, [])
        mesh.advance(0.06)
        return client, first

    def value(self, key: str) -> float:
        """Return a counter of the cluster."""
        return self.running.value(key, cluster="app")

    def test_secondWins(self) -> None:
        """The answer of the second host goes to the client; the first attempt is cancelled."""
        client, first = self.slow()
        ((_, port),) = self.running.dialled
        second = self.running.upstream()
        self.assertEqual(first.take(), second.take())
        second.send(OK)
        self.assertEqual(client.take(), OK)
        self.running.advance(0)
        self.assertTrue(first.closed)
        first.send(OK)
        self.assertEqual(client.take(), b"")
        self.assertEqual((self.value("request_hedge"), self.value("request_hedge_won")), (1, 1))
        self.assertEnded((200, 0))
        self.assertEqual(self.last.host.address, f"127.0.0.1:{port}")

    def test_firstWins(self) -> None:
        """When the first host answers first after all, the second attempt is cancelled."""
        client, first = self.slow()
        second = self.running.upstream()
        first.send(OK)
        self.assertEqual(client.take(), OK)
        self.running.advance(0)
        self.assertTrue(second.closed)
        self.assertEqual((self.value("request_hedge"), self.value("request_hedge_won")), (1, 0))
        self.assertEnded((200, 0))

    def test_firstWinsBeforeTheConnect(self) -> None:
        """Nor is a connection waited for any more."""
        client, first = self.slow()
        first.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(self.running.value("request_active"), 0)

    def test_inTime(self) -> None:
        """An answer in time begins no second attempt."""
        mesh = self.begin(toCluster(retry_policy={"hedge_after": "100ms"}), hosts=2)
        client, upstream = self.get()
        upstream.send(OK)
        mesh.advance(1.0)
        self.assertEqual((client.take(), mesh.dialled), (OK, []))

    def test_secondFails(self) -> None:
        """A second host that fails, by whatever, is not heard of; the first one answers."""
        for end in ("refuse", "reset", "bad"):
            client, first = self.slow()
            if end == "refuse":
                self.running.refuse()
            else:
                second = self.running.upstream()
                if end == "reset":
                    second.reset()
                else:
                    second.send(BAD)
            self.running.advance(0.5)
            self.assertEqual((client.take(), self.running.dialled), (b"", []))
            first.send(OK)
            self.assertEqual(client.take(), OK)
            self.assertEnded((200, 0))
            self.tearDown()

    def test_firstFails(self) -> None:
        """When the first host fails the second one is the attempt, without a further one."""
        for connected in (True, False):
            for answer in (b"", BAD):
                client, first = self.slow(policy={"retry_on": True})
                second = self.running.upstream() if connected else None
                if answer:
                    first.send(answer)
                else:
                    first.reset()
                self.running.advance(0.5)
                self.assertEqual(client.take(), b"")
                second = second or self.running.upstream()
                self.assertEqual(self.running.dialled, [])
                second.send(OK)
                self.assertEqual(client.take(), OK)
                self.assertEnded((200, 0))
                self.assertEqual(self.value("request_retry"), 0)
                self.tearDown()

    def test_bothFail(self) -> None:
        """When both fail the usual repetitions follow."""
        client, first = self.slow(policy={"retry_on": True})
        second = self.running.upstream()
        first.reset()
        second.send(BAD)
        self.running.advance(0.3)
        self.running.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(self.value("request_retry"), 1)

    def test_timeout(self) -> None:
        """The time of the whole request ends both."""
        client, first = self.slow(route={"timeout": "1s"})
        second = self.running.upstream()
        self.running.advance(1.1)
        self.assertStatus(client.take(), 504)
        self.running.advance(0)
        self.assertTrue(first.closed and second.closed)

    def test_timeOfAnAttempt(self) -> None:
        """Each of the two has the time of an attempt; then the usual repetition follows."""
        client, first = self.slow(policy={"retry_on": True, "retry_timeout": "500ms"})
        second = self.running.upstream()
        self.running.advance(0.42)
        self.assertTrue(first.closed)
        self.assertFalse(second.closed)
        self.running.advance(0.2)
        self.assertTrue(second.closed)
        self.running.upstream().send(OK)
        self.assertEqual(client.take(), OK)

    def test_clientGone(self) -> None:
        """A client that leaves ends both."""
        client, first = self.slow()
        second = self.running.upstream()
        client.reset()
        self.running.advance(0)
        self.assertTrue(first.closed and second.closed)

    def test_body(self) -> None:
        """A body is sent again, up to what is kept of one."""
        policy = {"retry_non_idempotent": True}
        client, first = self.slow(post(b"abc"), policy=policy)
        second = self.running.upstream()
        asked = first.take()
        self.assertTrue(asked.endswith(b"\r\n\r\nabc"))
        self.assertEqual(second.take(), asked)
        second.send(OK)
        self.assertEqual(client.take(), OK)
        self.tearDown()
        self.slow(post(bytes(70000)), policy=policy)
        self.assertEqual(self.value("request_hedge"), 0)

    def test_otherProtocol(self) -> None:
        """A hedge is converted like the first attempt."""
        _, first = self.slow(route={"upstream_protocol": "Http2"}, hosts=2)
        second = self.running.upstream()
        self.assertEqual(first.take(), second.take())
        self.assertEqual(self.value("request_hedge"), 1)
        first.reset()
        second.reset()

    def test_notSentTwice(self) -> None:
        """A POST is not hedged, nor anything where there is one host or no budget."""
        none = {"circuit_breakers": [{"retry_budget": {"percent": 0, "min_per_second": 0}}]}
        full = {"circuit_breakers": [{"max_requests": 1}]}
        for request, hosts, cluster in (
            (post(b"a"), 2, {}),
            (GET, 1, {}),
            (GET, 2, none),
            (GET, 2, full),
        ):
            client, first = self.slow(request, hosts, cluster=cluster)
            self.assertEqual(self.running.dialled, [])
            first.send(OK)
            self.assertEqual(client.take(), OK)
            self.assertEqual(self.value("request_hedge"), 0)
            self.tearDown()


class RandomTests(SynchronousTestCase):
    """Whatever happens."""

    @settings(max_examples=200)
    @given(
        st.lists(
            st.tuples(st.sampled_from([*STEPS, "wait"]), st.integers(0, 5), st.integers(1, 120)),
            max_size=60,
        ),
        st.booleans(),
        st.booleans(),
    )
    def test_anyHistory(
        self, steps: list[tuple[str, int, int]], filters: bool, limits: bool
    ) -> None:
        """One answer per request or a closed connection; nothing is left, nothing raises."""
        case = MeshTestCase()
        history = History(case, filters, {"hedge_after": "100ms"}, **(CLUSTER if limits else {}))
        history.arrive(0, 0)
        history.ask(0, steps[0][2] if steps else 0)
        for name, which, size in steps:
            step: Any = getattr(history, name)
            step(which, size)
        history.check()
        case.tearDown()
        self.assertEqual(self.flushLoggedErrors(), [])
