"""Balancers and changes of clusters: the real daemon, real hosts, clients of three protocols."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.system.daemon import until
from tests.system.hosts import Host
from tests.system.traffic import WIDTH, Client, TrafficCase, cluster

NAMES = ("one", "two", "three")
#: Hosts that are compared; enough that the busiest of three is not chosen by chance.
CHOICES = 30


class BalancerTests(TrafficCase):
    """One daemon with a cluster for each balancer."""

    def test_shares(self) -> None:
        """Round robin, weights, least request and Maglev share requests as their names say."""
        hosts = self.hosts.add(*NAMES)
        weighted = cluster("weighted", hosts, lb_type="LB_WEIGHTED_ROUNDROBIN")
        for host, weight in zip(weighted["hosts"], (1, 2, 5), strict=True):
            host["weight"] = weight
        maglev = {"hash_policy": [{"header": {"key": "x-user"}}]}
        least = {"lb_type": "LB_LEAST_REQUEST", "lb_config": {"choice_count": CHOICES}}
        clients = self.serve(
            [
                cluster("turns", hosts),
                weighted,
                cluster("least", hosts, **least),
                cluster("maglev", hosts, lb_type="LB_MAGLEV", route=maglev),
            ]
        )
        places = []
        for client in clients:
            turns = client.hosts(300, "turns")
            self.assertEqual(dict(turns), dict.fromkeys(NAMES, 100), client.name)
            shares = client.hosts(400, "weighted")
            self.assertEqual(dict(shares), {"one": 50, "two": 100, "three": 250}, client.name)
            self.avoidsTheBusy(client, hosts)
            places.append(self.sameKeySameHost(client))
        self.assertEqual(places[0], places[1])
        self.assertEqual(places[0], places[2])

    def sameKeySameHost(self, client: Client) -> dict[str, str]:
        """Each key has one host, and keys are spread over all; return where they are."""
        places = {}
        for key in map(str, range(40)):
            (places[key],) = client.hosts(4, "maglev", {"x-user": key})
        self.assertEqual(set(places.values()), set(NAMES), client.name)
        return places

    def avoidsTheBusy(self, client: Client, hosts: list[Host]) -> None:
        """While a host has a request under way, those that have none get the others."""
        busy = hosts[0]
        busy.holding = True
        kept = None
        while kept is None:
            token = self.beginAndSee(client, hosts)
            if busy.held:
                kept = token
            else:
                client.finish(token)
        found = Counter(client.send("least").host for _ in range(40))
        self.assertEqual(set(found), {"two", "three"}, client.name)
        busy.release()
        self.assertEqual(client.finish(kept).host, "one")

    def beginAndSee(self, client: Client, hosts: list[Host]) -> Any:
        """Send a request, and wait until a host has it."""
        before = sum(len(host.asked) for host in hosts)
        token = client.begin("least")
        until(lambda: sum(len(host.asked) for host in hosts) > before, "the request")
        return token


class UpdateTests(TrafficCase):
    """Clusters that change by the admin API under load."""

    def test_changesUnderLoad(self) -> None:
        """Hosts come and go and the balancer changes; no request fails, and none goes astray."""
        one, two, three = self.hosts.add(*NAMES)
        clients = self.serve([cluster("back", [one])])
        changes = {
            50: ("append_hosts", {"cluster": "back", "hosts": [two.address]}),
            100: ("update_hosts", {"cluster": "back", "hosts": [two.address, three.address]}),
            150: ("update_cluster", {"name": "back", "lb_type": "LB_RANDOM"}),
            200: ("remove_hosts", {"cluster": "back", "addresses": [three.address]}),
        }

        def change(number: int) -> None:
            if number in changes:
                self.change(*changes[number])

        for client in clients:
            answers = client.sendMany(250, "back", between=change)
            self.assertAll(answers, client)
            found = [answer.host for answer in answers]
            # What was sent just before a change may be looked at before or behind it.
            self.assertEqual(set(found[: 50 - WIDTH]), {"one"}, client.name)
            self.assertEqual(set(found[50 : 100 - WIDTH]), {"one", "two"}, client.name)
            self.assertEqual(set(found[100 : 200 - WIDTH]), {"two", "three"}, client.name)
            self.assertEqual(set(found[200:]), {"two"}, client.name)
            self.change("update_hosts", {"cluster": "back", "hosts": [one.address]})

    def test_clusterGoesAndComes(self) -> None:
        """Without its cluster a route answers 404; with a new one it works again."""
        (one,) = self.hosts.add("one")
        clients = self.serve([cluster("back", [one])])
        self.change("remove_clusters", {"names": ["back"]})
        for client in clients:
            self.assertEqual(client.send("back").status, client.status(404), client.name)
        self.change("update_cluster", cluster("back", [one]))
        for client in clients:
            self.assertEqual(client.send("back").host, "one", client.name)
