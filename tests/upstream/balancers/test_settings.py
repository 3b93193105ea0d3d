"""Tests of `mosntx.upstream.balancers.settings`."""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster, LbConfig
from mosntx.contracts.upstream import IBalancerSettings
from mosntx.upstream.balancers.settings import BalancerSettings


class SettingsTests(SynchronousTestCase):
    """What balancers are made with."""

    def test_contract(self) -> None:
        """It provides its contract, with usable defaults."""
        settings = BalancerSettings(random=Random(1), seconds=Clock().seconds)
        verifyObject(IBalancerSettings, settings)
        self.assertEqual(settings.lbConfig.choice_count, 2)
        self.assertRaises(LookupError, settings.hostAt, "127.0.0.1:80")

    def test_lbConfig(self) -> None:
        """What is configured counts."""
        config = Cluster(name="c", lbconfig=LbConfig(choice_count=5))
        settings = BalancerSettings(random=Random(1), seconds=Clock().seconds, config=config)
        self.assertEqual((settings.lbConfig.choice_count, settings.stats.name), (5, "c"))

    def test_atOnce(self) -> None:
        """Work is done at once when nobody says otherwise."""
        settings = BalancerSettings(random=Random(1), seconds=Clock().seconds)
        left = iter([None, None])
        settings.work(left)
        self.assertEqual(list(left), [])
