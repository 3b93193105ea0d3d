"""Tests of `mosntx.upstream.discovery.target`."""

from __future__ import annotations

from typing import Any

from twisted.logger import LogLevel

from mosntx.upstream.discovery.context import Nameservers
from mosntx.upstream.discovery.lookup import Place
from mosntx.upstream.discovery.target import Target
from tests.upstream.discovery.build import DiscoveryCase, at


class TargetTests(DiscoveryCase):
    """When a name is asked for, and what is made of the answers."""

    def make(self, address: str, **more: Any) -> Target:
        """Return a target that has been started."""
        target = self.target(address, **more)
        target.start()
        return target

    def target(self, address: str, **more: Any) -> Target:
        (host,) = at(address)
        self.answers = 0
        config = self.config(host, type="STRICT_DNS", **more)
        return Target(host, config, self.context, Nameservers(self.resolver), self.answered)

    def answered(self) -> None:
        self.answers += 1

    def test_answer(self) -> None:
        """An answer is kept until the next one."""
        self.resolver.set("a.test", "10.0.0.1")
        target = self.make("a.test:1")
        self.assertEqual((target.name, target.port), ("a.test", 1))
        self.assertEqual(target.places, (Place("10.0.0.1"),))
        self.resolver.broken = "server"
        self.advance(10)
        self.assertEqual(target.places, (Place("10.0.0.1"),))

    def test_literal(self) -> None:
        """An IP address is its own answer, for ever."""
        target = self.make("[2001:db8::1]:1")
        self.assertEqual(target.places, (Place("2001:db8::1"),))
        self.assertTrue(target.literal and target.settled)
        self.assertEqual((self.resolver.asked, self.wheel.active), ([], 0))

    def test_adopt(self) -> None:
        """What another has found counts until there is an answer."""
        self.resolver.set("a.test", "10.0.0.1")
        before = self.make("a.test:1")
        before.stop()
        target = self.target("a.test:2")
        target.adopt(before)
        self.assertEqual(target.places, before.places)
        self.assertFalse(target.settled)
        self.resolver.set("a.test", "10.0.0.2")
        target.start()
        self.assertEqual(target.places, (Place("10.0.0.2"),))

    def test_stop(self) -> None:
        """A target that is stopped between two questions has no timer, and says nothing."""
        self.resolver.set("a.test", "10.0.0.1")
        self.make("a.test:1").stop()
        self.assertEqual(self.wheel.active, 0)
        self.advance(20)
        self.assertEqual((len(self.resolver.asked), self.answers), (1, 1))

    def test_oddFailure(self) -> None:
        """A resolver that fails in a way nobody has thought of is asked again like any other."""
        self.resolver.broken = "odd"
        self.resolver.set("a.test", "10.0.0.1")
        target = self.make("a.test:1")
        (line,) = self.lines(LogLevel.warn)
        self.assertIn("RuntimeError: odd", line)
        self.resolver.broken = ""
        self.advance(1.3)
        self.assertEqual(target.places, (Place("10.0.0.1"),))

    def test_refreshRate(self) -> None:
        """Without respect for the TTL the question is repeated at the refresh rate and jitter."""
        self.resolver.set("a.test", "10.0.0.1", ttl=1)
        self.make("a.test:1", dns_refresh_rate=10.0)
        self.advance(9.9)
        self.assertEqual(len(self.resolver.asked), 1)
        self.advance(1.3)
        self.assertEqual(len(self.resolver.asked), 2)

    def test_ttl(self) -> None:
        """With respect for the TTL the question is repeated when the answer is too old."""
        self.resolver.set("a.test", "10.0.0.1", ttl=30)
        self.make("a.test:1", respect_dns_ttl=True, dns_refresh_rate=1.0)
        self.advance(30.9)
        self.assertEqual(len(self.resolver.asked), 1)
        self.advance(3.5)
        self.assertEqual(len(self.resolver.asked), 2)

    def test_zeroTtl(self) -> None:
        """A TTL of 0 does not make questions endless: the refresh rate counts."""
        self.resolver.set("a.test", "10.0.0.1", ttl=0)
        self.make("a.test:1", respect_dns_ttl=True, dns_refresh_rate=10.0)
        self.advance(9.9)
        self.assertEqual(len(self.resolver.asked), 1)

    def test_failuresAreLoggedOncePerChange(self) -> None:
        """One line for each new reason, however often it comes, and one when it is over."""
        self.resolver.set("a.test", "10.0.0.1")
        self.make("a.test:1", dns_refresh_rate=1.0)
        self.resolver.broken = "timeout"
        self.advance(10)
        self.resolver.broken = "server"
        self.advance(10)
        self.resolver.broken = ""
        self.advance(2)
        self.assertEqual(
            self.lines(LogLevel.warn),
            [
                "c: a.test: no name server answers; its hosts stay",
                "c: a.test: a name server says DNSServerError; its hosts stay",
            ],
        )
        self.assertEqual(self.lines(LogLevel.info), ["c: a.test is answered again"])

    def test_retries(self) -> None:
        """After failures the pause grows from a second to the refresh rate."""
        self.resolver.broken = "server"
        target = self.make("a.test:1", dns_refresh_rate=10.0)
        self.assertTrue(target.settled)
        self.assertEqual((self.answers, target.places), (1, ()))
        self.advance(1.3)
        self.assertEqual(len(self.resolver.asked), 2)
        self.advance(2.4)
        self.assertEqual(len(self.resolver.asked), 3)
        self.advance(1000)
        self.assertLess(len(self.resolver.asked), 106)
        self.assertGreater(len(self.resolver.asked), 88)

    def test_noAnswerAtAll(self) -> None:
        """A question without any answer is given up after 20 seconds and asked again."""
        self.resolver.held = True
        self.make("a.test:1")
        self.advance(20.2)
        self.assertEqual(self.resolver.cancelled, 1)
        self.assertEqual(self.answers, 1)
        self.assertEqual(
            self.lines(LogLevel.warn), ["c: a.test: no answer within 20 s; it has no host yet"]
        )
        self.advance(1.3)
        self.assertEqual(len(self.resolver.asked), 2)
