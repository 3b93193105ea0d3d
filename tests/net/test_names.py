"""Names and their addresses."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IHostnameResolver, IResolutionReceiver
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.net.names import MAX_NAMES, TTL, NameCache, NameNotFoundError
from mosntx.net.timers import TimerWheel


@implementer(IHostnameResolver)
class Resolver:
    """Answers when a test says so.

    :ivar asked: receivers by name, in order.
    """

    def __init__(self):
        self.asked = {}
        self.count = 0

    def resolveHostName(
        self,
        resolutionReceiver,
        hostName,
        portNumber=0,
        addressTypes=None,
        transportSemantics="TCP",
    ):
        """See ``IHostnameResolver``."""
        if hostName == "broken":
            raise UnicodeError("no such name")
        self.count += 1
        self.asked[hostName] = resolutionReceiver
        resolutionReceiver.resolutionBegan(None)

    def answer(self, name, *addresses):
        """The resolver knows."""
        receiver = self.asked.pop(name)
        for address in addresses:
            receiver.addressResolved(address)
        receiver.resolutionComplete()


def v4(host):
    return IPv4Address("TCP", host, 0)


class NameCacheTests(SynchronousTestCase):
    """Asking, remembering, forgetting."""

    def setUp(self):
        self.reactor = MemoryReactorClock()
        self.resolver = Resolver()
        self.reactor.installNameResolver(self.resolver)
        self.names = NameCache(self.reactor, TimerWheel(self.reactor, self.reactor.seconds))

    def test_answer(self):
        """All addresses come in the resolver's order, each once; others are passed over."""
        answer = self.names.resolve("a.example")
        verifyObject(IResolutionReceiver, self.resolver.asked["a.example"])
        self.assertNoResult(answer)
        self.resolver.answer(
            "a.example",
            v4("192.0.2.1"),
            IPv6Address("TCP", "2001:db8::1", 0),
            v4("192.0.2.1"),
            UNIXAddress(b"/x"),
        )
        self.assertEqual(self.successResultOf(answer), ("192.0.2.1", "2001:db8::1"))

    def test_remembered(self):
        """An answer holds for its time, then is asked for again."""
        self.names.resolve("a.example")
        self.resolver.answer("a.example", v4("192.0.2.1"))
        self.reactor.advance(TTL - 0.1)
        self.assertEqual(self.successResultOf(self.names.resolve("a.example")), ("192.0.2.1",))
        self.reactor.advance(0.2)
        answer = self.names.resolve("a.example")
        self.resolver.answer("a.example", v4("192.0.2.2"))
        self.assertEqual(self.successResultOf(answer), ("192.0.2.2",))
        self.assertEqual(self.resolver.count, 2)

    def test_failureRemembered(self):
        """That there is no address is remembered as well."""
        answer = self.names.resolve("a.example")
        self.resolver.answer("a.example")
        self.failureResultOf(answer, NameNotFoundError)
        self.failureResultOf(self.names.resolve("a.example"), NameNotFoundError)
        self.assertEqual(self.resolver.count, 1)
        self.reactor.advance(TTL)
        self.assertNoResult(self.names.resolve("a.example"))

    def test_askedOnce(self):
        """Those who ask while the resolver is at it share the answer; one may leave."""
        first, second = self.names.resolve("a.example"), self.names.resolve("a.example")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.resolver.answer("a.example", v4("192.0.2.1"))
        self.assertEqual(self.successResultOf(second), ("192.0.2.1",))
        self.assertEqual(self.resolver.count, 1)

    def test_brokenResolver(self):
        """A resolver that raises has found nothing."""
        self.failureResultOf(self.names.resolve("broken"), NameNotFoundError)
        self.assertEqual(len(self.flushLoggedErrors(UnicodeError)), 1)

    def test_unreachable(self):
        """An address that could not be connected to is tried last the next time."""
        self.names.resolve("a.example")
        self.resolver.answer("a.example", v4("192.0.2.1"), v4("192.0.2.2"), v4("192.0.2.3"))
        self.names.unreachable("a.example", "192.0.2.1")
        self.names.unreachable("a.example", "198.51.100.1")
        self.names.unreachable("other.example", "192.0.2.1")
        self.assertEqual(
            self.successResultOf(self.names.resolve("a.example")),
            ("192.0.2.2", "192.0.2.3", "192.0.2.1"),
        )

    def test_bounded(self):
        """The oldest answers make room for new ones."""
        for number in range(MAX_NAMES + 1):
            self.names.resolve(f"{number}.example")
            self.resolver.answer(f"{number}.example", v4("192.0.2.1"))
        self.assertEqual(len(self.names._known), MAX_NAMES)
        self.assertNoResult(self.names.resolve("0.example"))
        self.successResultOf(self.names.resolve("1.example"))

    def test_pinned(self):
        """A pinned answer counts without a question; of several owners the last one's."""
        self.names.pin("a.example", ("10.0.0.1",), "first")
        self.names.pin("a.example", ("10.0.0.2",), "second")
        self.assertEqual(self.successResultOf(self.names.resolve("a.example")), ("10.0.0.2",))
        self.names.pin("a.example", ("10.0.0.3",), "first")
        self.assertEqual(self.successResultOf(self.names.resolve("a.example")), ("10.0.0.3",))
        self.names.unpin("a.example", "first")
        self.assertEqual(self.successResultOf(self.names.resolve("a.example")), ("10.0.0.2",))
        self.assertEqual(self.resolver.count, 0)
        for owner in ("second", "second", "nobody"):
            self.names.unpin("a.example", owner)
        self.names.resolve("a.example")
        self.assertEqual(self.resolver.count, 1)
