"""Tests of `mosntx.service.explain`, and of the command ``mosntx explain``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mosntx.service.explain import ExplainError, Question, explainLines
from mosntx.testing.mesh import MemoryMesh
from mosntx.upstream.hosts import FAILED_OUTLIER
from tests.service.build import ServiceCase, adminOn, config, fetch
from tests.service.test_cli import CommandCase

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SUBSETS = EXAMPLES / "subsets.yaml"
TESTER = (("x-user", "test-7"),)


class ExplainCase(ServiceCase):
    """Explains requests to a Sidecar."""

    def said(
        self, text: Any, question: Question, listener: str = "", ill: tuple[str, ...] = ()
    ) -> Any:
        """Return an explanation; the hosts ``ill`` are unhealthy."""
        mesh = MemoryMesh(text)
        self.addCleanup(mesh.hangUp)
        for name in mesh.sidecar.clusters.names():
            cluster: Any = mesh.sidecar.clusters.get(name)
            for address in ill:
                cluster._addresses.setFlag(address, FAILED_OUTLIER)
        return mesh.sidecar.explain(question, listener)


class SubsetTests(ExplainCase):
    """Which hosts are in question."""

    def hosts(self, said: Any) -> list[str]:
        """Return the candidates of the only cluster."""
        (cluster,) = said["clusters"]
        return [host["address"][-4:] for host in cluster["hosts"] if host["candidate"]]

    def test_subset(self) -> None:
        """The hosts with the criteria of the route that matches."""
        said = self.said(SUBSETS.read_text(), Question(url="http://shop/cart", fields=TESTER))
        self.assertEqual([one["matches"] for one in said["routes"]], [True])
        self.assertEqual(self.hosts(said), ["8083"])
        self.assertEqual(said["clusters"][0]["subset"], "the hosts with version=2.0")

    def test_shares(self) -> None:
        """A near miss of the first route; weighted clusters with their shares."""
        said = self.said(SUBSETS.read_text(), Question(url="http://shop/cart"))
        self.assertEqual(said["routes"][0]["why"], "header 'x-user' is absent")
        self.assertEqual([one["share"] for one in said["clusters"]], [0.95, 0.05])

    def test_fallback(self) -> None:
        """When the subset is ill, the default subset."""
        question = Question(url="http://shop/cart", fields=TESTER)
        said = self.said(SUBSETS.read_text(), question, ill=("127.0.0.1:8083",))
        self.assertEqual(self.hosts(said), ["8081", "8082"])
        self.assertIn("the default subset, by fall_back_policy 2", said["clusters"][0]["subset"])

    def test_anyHost(self) -> None:
        """A subset that nobody is in, and a policy that takes anybody."""
        text = SUBSETS.read_text().replace("fall_back_policy: 2", "fall_back_policy: 1")
        text = text.replace(
            '{version: "2.0"}}}\n              - match', '{version: "3"}}}\n              - match'
        )
        said = self.said(text, Question(url="http://shop/cart", fields=TESTER))
        self.assertEqual(len(self.hosts(said)), 3)
        self.assertIn("there is no subset version=3: any host", said["clusters"][0]["subset"])

    def test_nobody(self) -> None:
        """A subset without hosts and without fallback is a 502, and said to be."""
        text = SUBSETS.read_text().replace("fall_back_policy: 2", "fall_back_policy: 0")
        question = Question(url="http://shop/cart", fields=TESTER)
        said = self.said(text, question, ill=("127.0.0.1:8083",))
        self.assertEqual(self.hosts(said), [])
        self.assertEqual(said["clusters"][0]["problem"], "no host may be chosen: status 502")


class OutcomeTests(ExplainCase):
    """What becomes of a request."""

    def test_answers(self) -> None:
        """Redirects, missing routes and missing clusters."""
        made = config()
        routes = made["servers"][0]["routers"][0]["virtual_hosts"][0]["routers"]
        routes[:0] = [{"match": {"prefix": "/old"}, "redirect": {"path_redirect": "/new"}}]
        said = self.said(made, Question(url="http://a/old"))
        self.assertEqual(
            said["outcome"], "answered by the route: status 301, Location: http://a/new"
        )
        self.assertEqual(said["clusters"], [])

    def test_noRoute(self) -> None:
        """Every rule that was tried, and what comes of it."""
        made = config()
        routes = made["servers"][0]["routers"][0]["virtual_hosts"][0]["routers"]
        routes[0]["match"] = {"path": "/only"}
        said = self.said(made, Question(url="/x"))
        self.assertEqual(said["outcome"], "answered here: status 404, no route matches")
        self.assertEqual(len(said["routes"]), 1)

    def test_rpc(self) -> None:
        """A service of Bolt."""
        text = (EXAMPLES / "health.yaml").read_text().replace("far_health.log", self.mktemp())
        said = self.said(text, Question(fields=(("service", "s"),)), "egress")
        self.assertEqual(said["outcome"], "sent to far")
        self.assertEqual(said["listener"]["filters"], ["healthcheck"])

    def test_mistakes(self) -> None:
        """Questions that cannot be asked."""
        text = (EXAMPLES / "health.yaml").read_text().replace("far_health.log", self.mktemp())
        for question, listener, why in (
            (Question(), "", "there are egress, ingress"),
            (Question(), "x", "there is no listener 'x'"),
            (Question(url="ftp://a/b"), "egress", "is no URL of HTTP"),
            (Question(url="shop/cart"), "egress", "is no URL of HTTP"),
        ):
            with self.assertRaises(ExplainError) as caught:
                self.said(text, question, listener)
            self.assertIn(why, str(caught.exception))

    def test_admin(self) -> None:
        """The admin API gives the same, as of now."""
        mesh = MemoryMesh(config(admin=adminOn("127.0.0.1")))
        self.addCleanup(mesh.hangUp)
        site: Any
        (site,) = [each[1] for each in mesh.reactor.tcpServers if each[0] == 34901]
        status, body = fetch(site, b"/api/v1/explain?url=http://a/x")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body), mesh.sidecar.explain(Question(url="http://a/x")))


class TextTests(ExplainCase):
    """The explanation for people."""

    def test_lines(self) -> None:
        """Every part of it, with the lines of the file."""
        said = self.said(SUBSETS.read_text(), Question(url="http://shop/cart"))
        text = "\n".join(explainLines(said))
        for part in (
            "listener      ingress (<text>:3), Http1",
            "  no <text>:15: header 'x-user' is absent",
            "  => <text>:21: matches",
            "outcome       sent to shop\n",
            "cluster       shop, 95.0%",
            "  => 127.0.0.1:8081, weight 1, healthy, 0 requests, version=1.0, zone=east",
            "  no 127.0.0.1:8082",
            "timeouts      60s for all",
            "retries       up to 3",
        ):
            self.assertIn(part, text)


class CommandTests(CommandCase):
    """``mosntx explain``; nothing is started."""

    def test_text(self) -> None:
        """Options may stand before method and URL, and behind."""
        url = "http://shop/cart"
        for arguments in (
            ("-H", "x-user: test-7", "GET", url),
            ("GET", url, "-H", "x-user: test-7"),
        ):
            code, out, _ = self.run_("explain", str(SUBSETS), *arguments)
            self.assertEqual(code, 0)
            self.assertIn("the hosts with version=2.0", out)

    def test_json(self) -> None:
        """The same for programs."""
        code, out, _ = self.run_("explain", str(SUBSETS), "--json", "GET", "/cart")
        self.assertEqual((code, json.loads(out)["outcome"]), (0, "sent to shop"))

    def test_mistakes(self) -> None:
        """Of the command line, of the question, of the file."""
        for arguments, code, why in (
            ((str(SUBSETS), "--bad"), 2, "unrecognized arguments: --bad"),
            ((str(SUBSETS), "GET", "/", "more"), 2, "unrecognized arguments"),
            ((str(SUBSETS), "-H", "x"), 2, "not of the form 'name: value'"),
            ((str(SUBSETS), "-l", "x"), 2, "there is no listener 'x'"),
            ((self.file("servers: 7"),), 1, "servers"),
        ):
            found, _, err = self.run_("explain", *arguments)
            self.assertEqual(found, code)
            self.assertIn(why, err)
