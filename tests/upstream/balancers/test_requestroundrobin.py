"""Tests of `mosntx.upstream.balancers.requestroundrobin`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, hosts
from mosntx.upstream.balancers.requestroundrobin import RequestRoundRobinFactory


class RequestRoundRobinTests(BalancerSuite, SynchronousTestCase):
    """Each request by itself."""

    def factory(self) -> RequestRoundRobinFactory:
        """See `BalancerSuite`."""
        return RequestRoundRobinFactory()

    def test_walk(self) -> None:
        """Choices of one request walk over the hosts; another one begins anew (scenario 83)."""
        among = hosts(1, 1, 1)
        balancer = self.balancer(among)
        for _ in range(2):
            request = FakeExchange()
            chosen = []
            for _ in range(4):
                request.host = balancer.chooseHost(request)
                chosen.append(request.host)
            self.assertEqual(chosen, [*among, among[0]])

    def test_unhealthy(self) -> None:
        """The first healthy one is where requests begin, and unhealthy ones are passed over."""
        among = hosts(1, 1, 1, 1, unhealthy=[0, 2])
        balancer = self.balancer(among)
        request = FakeExchange()
        request.host = balancer.chooseHost(request)
        self.assertIs(request.host, among[1])
        self.assertIs(balancer.chooseHost(request), among[3])

    def test_hostLeft(self) -> None:
        """A request whose host has left begins anew."""
        among = hosts(1, 1, 1)
        request = FakeExchange()
        request.host = among.pop()
        self.assertIs(self.balancer(among).chooseHost(request), among[0])
