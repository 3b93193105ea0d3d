"""Tests of `mosntx.upstream.health.probe`: what all probes keep to."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import CheckConfig, HealthCheck, HttpCheck
from mosntx.contracts.net import IBytesReceiver
from mosntx.contracts.upstream import IHealthChecker
from mosntx.net.connector import ConnectFailed
from mosntx.testing.net import FakeConnector
from mosntx.testing.upstream import FakeHost
from mosntx.upstream.health.probe import IProbe
from tests.upstream.health.build import FakeProbe, probes

CONFIGS = (
    HealthCheck(service_name="s"),
    HealthCheck(
        service_name="s",
        protocol="Http1",
        check_config=CheckConfig(http_check_config=HttpCheck(path="/")),
    ),
    HealthCheck(service_name="s", protocol="bolt"),
)


class ProbeTests(SynchronousTestCase):
    """Every kind of probe."""

    def test_contract(self) -> None:
        """They provide the contract of probes and of health checkers, and the fake does."""
        for config in CONFIGS:
            probe = probes().build(config, "127.0.0.1:1")
            verifyObject(IProbe, probe)
            verifyObject(IHealthChecker, probe)
        verifyObject(IProbe, FakeProbe())

    def test_cancelWhileConnecting(self) -> None:
        """A check that is given up stops its connect."""
        for config in CONFIGS:
            connector = FakeConnector()
            probe = probes(connector).build(config, "127.0.0.1:1")
            assert probe is not None
            check = probe.check(FakeHost("127.0.0.1:1"))
            verifyObject(IBytesReceiver, connector.attempts[0].receiver)
            check.cancel()
            self.assertTrue(connector.attempts[0].cancelled)
            self.failureResultOf(check)
            probe.close()

    def test_again(self) -> None:
        """After a refused connect the next check tries anew."""
        for config in CONFIGS:
            connector = FakeConnector()
            probe = probes(connector).build(config, "127.0.0.1:1")
            assert probe is not None
            for place in range(3):
                check = probe.check(FakeHost("127.0.0.1:1"))
                connector.attempts[place].fail(ConnectFailed("127.0.0.1:1", "refused"))
                outcome: list[object] = []
                check.addBoth(outcome.append)
                self.assertEqual(len(outcome), 1)
                self.assertNotEqual(outcome[0], True)
