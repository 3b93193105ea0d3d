"""All balancers, with and without `mosntx.upstream.balancers.tiers`, in any order of events."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster, LbConfig, SlowStart
from mosntx.service.catalog import standardCatalog
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, FakeHost
from mosntx.upstream.balancers.maglev import MaglevFactory
from mosntx.upstream.balancers.settings import BalancerSettings
from mosntx.upstream.balancers.tiers import Tiered

FACTORIES = {
    **standardCatalog().balancers,
    "LB_MAGLEV": MaglevFactory(101),
}
del FACTORIES["LB_ORIGINAL_DST"]  # it chooses no host of the list

HOSTS = st.lists(
    st.tuples(
        st.integers(1, 128), st.integers(0, 2), st.sampled_from(["", "a", "b"]), st.booleans()
    ),
    min_size=1,
    max_size=6,
)
#: Turn the health of a host, or choose with a key on so many a repetition.
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.integers(0, 5)),
        st.tuples(st.just("choose"), st.integers(0, 2**64 - 1), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.integers(0, 20)),
    ),
    max_size=30,
)


class AnyBalancerTests(SynchronousTestCase):
    """What is true for each of them."""

    @settings(max_examples=400, deadline=None)
    @given(
        name=st.sampled_from(sorted(FACTORIES)),
        made=HOSTS,
        events=EVENTS,
        zone=st.sampled_from(["", "a"]),
        slow=st.booleans(),
    )
    def test_neverUnhealthy(self, name: str, made: Any, events: Any, zone: str, slow: bool) -> None:
        """A healthy host is chosen exactly when there is one."""
        among = [
            FakeHost(f"10.0.0.{n}:80", weight=w, priority=p, zone=z, healthy=h)
            for n, (w, p, z, h) in enumerate(made)
        ]
        clock, suite = Clock(), BalancerSuite()
        config = Cluster(
            name="c",
            lbconfig=LbConfig(zone=zone),
            slow_start=SlowStart(mode="duration", slow_start_duration=10.0) if slow else None,
        )
        given_ = BalancerSettings(random=Random(1), seconds=clock.seconds, config=config)
        balancer = Tiered(FACTORIES[name]).build(among, given_)
        for what, *values in events:
            if what == "wait":
                clock.advance(values[0])
            elif what == "turn":
                host = among[values[0] % len(among)]
                if not host.healthy:
                    host.healthySince = clock.seconds()
                suite.turn(balancer, host, not host.healthy)
            else:
                exchange = FakeExchange()
                exchange.key, exchange.attempts = values
                if exchange.attempts:
                    exchange.host = among[values[0] % len(among)]
                chosen = balancer.chooseHost(exchange)
                if any(host.healthy for host in among):
                    assert chosen is not None and chosen.healthy
                    self.assertIn(chosen, among)
                else:
                    self.assertIsNone(chosen)
