"""Tests of `mosntx.upstream.balancers.maglev`."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.siphash import siphash24
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, FakeHost, hosts
from mosntx.upstream.balancers.maglev import (
    BIG_TABLE,
    HASH_KEY,
    MANY_HOSTS,
    SMALL_TABLE,
    MaglevFactory,
    Overfull,
    fill,
)


def plain(addresses: list[str], size: int) -> list[int]:
    """The table, made as the paper has it: whole permutations, then turns."""
    paths = []
    for address in addresses:
        value = siphash24(address.encode(), HASH_KEY, 0)
        offset, skip = (value >> 32) % size, (value & 0xFFFFFFFF) % (size - 1) + 1
        paths.append([(offset + step * skip) % size for step in range(size)])
    table: dict[int, int] = {}
    while True:
        for number, path in enumerate(paths):
            table[next(slot for slot in path if slot not in table)] = number
            if len(table) == size:
                return [table[slot] for slot in range(size)]


class TableTests(SynchronousTestCase):
    """The table itself."""

    def filled(self, *hashes: int) -> list[int]:
        table = array("i", [-1]) * 7
        for _ in fill(table, hashes, 7):
            pass
        return list(table)

    def test_paper(self) -> None:
        """The example of the paper: offsets and skips (3, 4), (0, 2), (3, 1) of seven slots."""
        first, second, third = 3 << 32 | 3, 0 << 32 | 1, 3 << 32 | 0
        self.assertEqual(self.filled(first, second, third), [1, 0, 1, 0, 2, 2, 0])
        self.assertEqual(self.filled(first, third), [0, 0, 0, 0, 1, 1, 1])

    def test_plain(self) -> None:
        """It is what a simple program makes of the addresses."""
        among = [FakeHost(f"10.1.{number}.7:20880") for number in range(40)]
        table = plain([host.address for host in among], 211)
        balancer: Any = MaglevFactory(211).build(among, BalancerSuite().settings())
        for slot, number in enumerate(table):
            exchange = FakeExchange()
            exchange.key = slot + 211 * 5
            self.assertIs(balancer.chooseHost(exchange), among[number])

    def test_sizes(self) -> None:
        """Tables are as large as MOSN's; too many hosts are never chosen from."""
        one, settings = hosts(1), BalancerSuite().settings(work=list)
        few: Any = MaglevFactory().build(one, BalancerSuite().settings())
        self.assertEqual(len(few._table), SMALL_TABLE)
        many: Any = MaglevFactory().build(one * MANY_HOSTS, BalancerSuite().settings(work=id))
        self.assertEqual(many._size, BIG_TABLE)
        overfull = MaglevFactory().build(one * BIG_TABLE, settings)
        self.assertIsInstance(overfull, Overfull)
        self.assertIsNone(overfull.chooseHost(FakeExchange()))


class MaglevTests(BalancerSuite, SynchronousTestCase):
    """Keys and hosts."""

    def factory(self) -> MaglevFactory:
        """See `BalancerSuite`."""
        return MaglevFactory(4099)

    def request(self, number: int) -> FakeExchange:
        """See `BalancerSuite`."""
        exchange = FakeExchange()
        exchange.key = siphash24(b"%d" % number, 1, 2)
        return exchange

    def test_even(self) -> None:
        """Each host gets the same share of 10^5 keys, within 3 %."""
        chosen = Counter(self.choose(self.balancer(hosts(*[1] * 10)), 100_000))
        for count in chosen.values():
            self.assertLess(abs(count - 10_000), 300)

    def test_removal(self) -> None:
        """When a host leaves, few keys of others move (scenario 78)."""
        among = hosts(*[1] * 20)
        before = self.choose(self.balancer(among), 5000)
        gone = among.pop(7)
        after = self.choose(self.balancer(among), 5000)
        moved = sum(was is not now for was, now in zip(before, after, strict=True))
        self.assertLess(moved - before.count(gone), 500)

    def test_noKey(self) -> None:
        """A request without a key gets no host (scenario 79)."""
        balancer = self.balancer(hosts(1, 1))
        self.assertIsNone(balancer.chooseHost(FakeExchange()))
        self.assertIsNone(balancer.chooseHost(None))

    def test_unhealthy(self) -> None:
        """The next in the list stands in; the walk goes round (scenario 80)."""
        among = hosts(*[1] * 10)
        balancer = self.balancer(among)
        number = next(n for n in range(1000) if balancer.chooseHost(self.request(n)) is among[8])
        for sick, wanted in (([8], 9), ([8, 9, 0], 1), (range(10), None)):
            for host in among:
                host.healthy = True
            for index in sick:
                among[index].healthy = False
            found = balancer.chooseHost(self.request(number))
            self.assertIs(found, None if wanted is None else among[wanted])

    def test_retries(self) -> None:
        """Repetitions visit each other host once."""
        among = hosts(*[1] * 5)
        balancer = self.balancer(among)
        request = self.request(3)
        visited = []
        for attempt in range(5):
            request.attempts = attempt
            request.host = balancer.chooseHost(request)
            visited.append(request.host)
        self.assertEqual(set(visited), set(among))
        start = among.index(visited[0])
        self.assertEqual(visited, among[start:] + among[:start])
