"""The chain of network filters, by itself."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.net import CONTINUE, STOP, INetworkFilter
from mosntx.net.filters import FilterChain, NetworkFilter


class Recording(NetworkFilter):
    """Remembers what it saw.

    :ivar verdicts: of its hooks by name; `CONTINUE` for those that are missing.
    :ivar eats: octets that it consumes at each look.
    """

    def __init__(self, log, name, eats=0, **verdicts):
        self.log = log
        self.name = name
        self.eats = eats
        self.verdicts = verdicts
        self.during: Callable[[], object] = lambda: None

    def newConnection(self):
        """See `INetworkFilter.newConnection`."""
        self.log.append(f"{self.name}.new")
        self.during()
        return self.verdicts.get("new", CONTINUE)

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        self.log.append(f"{self.name}:{bytes(buffer).decode()}")
        del buffer[: self.eats]
        self.during()
        return self.verdicts.get("read", CONTINUE)


class OnlyNew(NetworkFilter):
    """Overrides one hook."""

    def newConnection(self):
        """See `INetworkFilter.newConnection`."""
        return STOP


class Foreign:
    """Provides the contract without our base class."""

    def newConnection(self):
        """See `INetworkFilter.newConnection`."""
        return CONTINUE

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        return CONTINUE

    def bytesWritten(self, data):
        """See `INetworkFilter.bytesWritten`."""
        return data

    def connectionClosed(self, event):
        """See `INetworkFilter.connectionClosed`."""


class NetworkFilterTests(SynchronousTestCase):
    """What a filter starts from."""

    def test_interface(self):
        """The base provides the contract and does nothing."""
        nothing = NetworkFilter()
        verifyObject(INetworkFilter, nothing)
        buffer = bytearray(b"x")
        self.assertEqual((nothing.newConnection(), nothing.bytesReceived(buffer)), (0, 0))
        self.assertEqual((nothing.bytesWritten(b"y"), buffer), (b"y", b"x"))
        nothing.connectionClosed(3)


class FilterChainTests(SynchronousTestCase):
    """Rounds, stops, handing over."""

    def setUp(self):
        self.log = []

    def chain(self, *filters):
        self.filters = filters
        return FilterChain(filters)

    def feed(self, chain, data):
        """Return whether all filters continued, and what is left."""
        self.log.clear()
        chain.buffer += data
        return chain.run(), bytes(chain.buffer)

    def test_order(self):
        """All see the connection, then all see the octets, in configuration order."""
        chain = self.chain(Recording(self.log, "a"), Recording(self.log, "b"))
        self.assertTrue(chain.run())
        self.assertEqual(self.log, ["a.new", "b.new"])
        self.assertEqual(self.feed(chain, b"xy"), (True, b"xy"))
        self.assertEqual(self.log, ["a:xy", "b:xy"])

    def test_consume(self):
        """A filter sees what those in front of it left, and what was left over the next time."""
        chain = self.chain(Recording(self.log, "a", eats=1), Recording(self.log, "b"))
        chain.run()
        self.assertEqual(self.feed(chain, b"xyz"), (True, b"yz"))
        self.assertEqual(self.log, ["a:xyz", "b:yz"])
        self.assertEqual(self.feed(chain, b"!"), (True, b"z!"))
        self.assertEqual(self.log, ["a:yz!", "b:z!"])

    def test_allConsumed(self):
        """An empty buffer is shown to nobody."""
        chain = self.chain(Recording(self.log, "a", eats=9), Recording(self.log, "b"))
        chain.run()
        self.feed(chain, b"xyz")
        self.assertEqual(self.log, ["a:xyz"])

    def test_stopInNewConnection(self):
        """Later filters neither see the connection nor octets, until the filter goes on."""
        chain = self.chain(
            Recording(self.log, "a", new=STOP), Recording(self.log, "b"), Recording(self.log, "c")
        )
        self.assertFalse(chain.run())
        self.assertEqual(self.feed(chain, b"x"), (False, b"x"))
        self.assertEqual(self.log, ["a:x"])
        self.log.clear()
        self.assertTrue(chain.resume())
        self.assertEqual(self.log, ["b.new", "b:x", "c.new", "c:x"])
        self.assertEqual(len(chain.begun), 3)

    def test_stopWithoutReadHook(self):
        """A filter that stops and does not look at octets holds them back all the same."""
        chain = self.chain(OnlyNew(), Recording(self.log, "b"))
        chain.run()
        self.assertEqual(self.feed(chain, b"x"), (False, b"x"))
        self.assertEqual(self.log, [])
        chain.resume()
        self.assertEqual(self.log, ["b.new", "b:x"])

    def test_stopInBytesReceived(self):
        """The round ends; more octets begin at the first filter; going on begins at the next."""
        a, b = Recording(self.log, "a"), Recording(self.log, "b", read=STOP)
        chain = self.chain(a, b, Recording(self.log, "c"))
        chain.run()
        self.assertEqual(self.feed(chain, b"x"), (False, b"x"))
        self.assertEqual(self.log, ["a:x", "b:x"])
        self.feed(chain, b"y")
        self.assertEqual(self.log, ["a:xy", "b:xy"])
        self.log.clear()
        self.assertTrue(chain.resume())
        self.assertEqual(self.log, ["c:xy"])

    def test_resumeWithoutStop(self):
        """Going on when nobody stopped does nothing, also twice."""
        chain = self.chain(Recording(self.log, "a", new=STOP), Recording(self.log, "b"))
        self.assertFalse(chain.resume())
        chain.run()
        self.assertTrue(chain.resume())
        self.log.clear()
        self.assertFalse(chain.resume())
        self.assertEqual(self.log, [])

    def test_resumeWithinHook(self):
        """A filter that goes on before it has stopped has not stopped."""
        for hook in ("new", "read"):
            self.log.clear()
            a = Recording(self.log, "a", **{hook: STOP})
            chain = self.chain(a, Recording(self.log, "b"))
            a.during = chain.resume
            self.assertEqual(chain.run(), True)
            self.assertEqual(self.feed(chain, b"x"), (True, b"x"))
            self.assertEqual(self.log, ["a:x", "b:x"])

    def test_handOver(self):
        """The filter that gives the connection away, and those behind it, see nothing more."""
        a, b = Recording(self.log, "a"), Recording(self.log, "b", read=STOP)
        chain = self.chain(a, b, Recording(self.log, "c"))
        chain.run()
        front = []
        b.during = lambda: front.append(chain.handOver())
        self.assertEqual(self.feed(chain, b"x"), (False, b""))
        b.during = lambda: self.fail("gave it away")
        self.assertEqual(self.feed(chain, b"y"), (True, b"y"))
        self.assertEqual((front, self.log), ([True], ["a:y"]))

    def test_handOverLater(self):
        """The filter may give it away outside its hooks, while one in front has stopped."""
        a, b = Recording(self.log, "a"), Recording(self.log, "b", read=STOP)
        chain = self.chain(a, b)
        chain.run()
        self.feed(chain, b"x")
        a.verdicts["read"] = STOP
        self.feed(chain, b"y")
        self.assertTrue(chain.handOver())
        del a.verdicts["read"]
        self.assertEqual(self.feed(chain, b"z"), (True, b"z"))
        self.assertEqual(self.log, ["a:z"])

    def test_handOverWithoutFront(self):
        """Filters that do not look at octets are not in the way of a receiver."""
        b = Recording(self.log, "b", new=STOP)
        chain = self.chain(NetworkFilter(), b)
        front = []
        b.during = lambda: front.append(chain.handOver())
        self.assertFalse(chain.run())
        self.assertEqual(front, [False])

    def test_foreignFilter(self):
        """A filter not made from the base counts as looking at everything."""
        verifyObject(INetworkFilter, Foreign()) if INetworkFilter.providedBy(Foreign()) else None
        chain = self.chain(Foreign(), NetworkFilter())
        self.assertEqual(len(chain.writers), 1)
        chain.run()
        self.assertTrue(chain.handOver())

    def test_stop(self):
        """When the connection ends within a hook, no other filter is asked."""
        for hook in ("new", "read"):
            self.log.clear()
            a = Recording(self.log, "a")
            chain = self.chain(a, Recording(self.log, "b"))
            if hook == "read":
                chain.run()
            a.during = chain.stop
            self.assertEqual(self.feed(chain, b"x"), (False, b""))
            self.assertFalse(any(entry.startswith("b") for entry in self.log))
            self.assertFalse(chain.resume())

    def test_failure(self):
        """What a filter raises comes out, and the chain is not thought to be running after it."""
        a = Recording(self.log, "a", read=STOP)
        chain = self.chain(a, Recording(self.log, "b"))
        chain.run()
        self.feed(chain, b"x")
        a.during = lambda: 1 // 0
        with self.assertRaises(ZeroDivisionError):
            self.feed(chain, b"y")
        self.assertTrue(chain.resume())
