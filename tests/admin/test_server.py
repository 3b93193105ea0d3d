"""Tests of `mosntx.admin.server`."""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from mosntx.admin.server import adminSite, prometheusSite
from tests.admin.requests import adminAsk, ask, view

PATHS = """
/api/v1/append_hosts /api/v1/clusters /api/v1/config_dump /api/v1/disable_log /api/v1/enable_log
/api/v1/env /api/v1/explain /api/v1/failures /api/v1/features /api/v1/get_loglevel
/api/v1/loop /api/v1/remove_clusters /api/v1/remove_hosts /api/v1/states /api/v1/stats
/api/v1/stats_glob /api/v1/update_cluster /api/v1/update_hosts /api/v1/update_loglevel
/api/v1/version /metrics
""".split()  # noqa: SIM905


class AdminSiteTests(SynchronousTestCase):
    """All of the API."""

    def test_help(self) -> None:
        """The root lists every path, for any method."""
        for method in ("GET", "POST", "DELETE"):
            reply = adminAsk(method, "/")
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.body, "supported APIs:\n" + "".join(f"{p}\n" for p in PATHS))
            self.assertEqual(reply.fields["content-type"], "text/plain; charset=utf-8")

    def test_unknown(self) -> None:
        """An unknown path is answered with the help text, as in MOSN."""
        for path in ("/x", "/api/v1/stats/", "/api/v1", "/%00", "//metrics"):
            reply = adminAsk("GET", path)
            self.assertEqual((reply.status, reply.body[:15]), (200, "supported APIs:"))

    def test_listed(self) -> None:
        """Every listed path is one that answers."""
        for path in PATHS:
            self.assertNotIn("supported APIs", adminAsk("GET", path).body, path)

    def test_methods(self) -> None:
        """The wrong method is 405, names the right ones, and changes nothing."""
        for path in PATHS:
            posts = any(word in path for word in ("able_log", "update_", "append_", "remove_"))
            if path == "/api/v1/version":
                self.assertEqual(adminAsk("POST", path).status, 200)
                continue
            for method in ("PUT", "GET" if posts else "POST"):
                reply = adminAsk(method, path)
                self.assertEqual((reply.status, reply.body), (405, ""), path)
            self.assertIn("POST" if posts else "GET", reply.fields["allow"])

    def test_head(self) -> None:
        """HEAD is GET without the body."""
        reply = adminAsk("HEAD", "/api/v1/stats")
        self.assertEqual((reply.status, reply.body), (200, ""))
        self.assertGreater(int(reply.fields["content-length"]), 100)

    def test_fields(self) -> None:
        """Answers are not kept by caches, not guessed at by browsers, and name no version."""
        fields = adminAsk("GET", "/api/v1/states").fields
        self.assertEqual(fields["cache-control"], "no-store")
        self.assertEqual(fields["x-content-type-options"], "nosniff")
        self.assertEqual(fields["server"], "mosntx")

    def test_refused(self) -> None:
        """A page of another site is refused before anything happens."""
        fields = {"Host": "127.0.0.1:34901", "Origin": "http://evil.example"}
        reply = adminAsk("POST", "/api/v1/disable_log", b"/logs/mosn.log", fields)
        self.assertEqual(reply.status, 403)
        self.assertIn("error", reply.json)
        fields = {"Host": "evil.example:34901"}
        self.assertEqual(adminAsk("GET", "/api/v1/config_dump", b"", fields).status, 403)
        self.assertEqual(
            adminAsk("GET", "/api/v1/config_dump", b"", fields, loopback=False).status, 200
        )

    def test_quiet(self) -> None:
        """Requests leave no line in any log, and no delayed call when the site is stopped."""
        seen: list[LogEvent] = []
        observer: Any = seen.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        reactor = MemoryReactorClock()
        site = adminSite(view(), reactor, loopback=True)
        site.doStart()
        ask(site, "GET", "/api/v1/stats")
        site.doStop()
        self.assertEqual(seen, [])
        self.assertEqual(reactor.getDelayedCalls(), [])

    def test_oldSpelling(self) -> None:
        """The path that MOSN misspelt up to 0.17 still works and is not listed."""
        reply = adminAsk("POST", "/api/v1/disbale_log", b"/logs/mosn.log")
        self.assertEqual(reply.body, "disable logger success\n")

    def test_notHttp(self) -> None:
        """Octets that are no HTTP are refused without harm."""
        site = adminSite(view(), MemoryReactorClock(), loopback=True)
        self.assertEqual(ask(site, "GET /x y", "z").status, 400)


class PrometheusSiteTests(SynchronousTestCase):
    """The sink's own port."""

    def setUp(self) -> None:
        self.site = prometheusSite(lambda: b"a 1.0\n", "/stats/prom", MemoryReactorClock())

    def test_metrics(self) -> None:
        """The configured path answers, to any host name."""
        reply = ask(self.site, "GET", "/stats/prom", fields={"Host": "mosn.mesh.svc:9090"})
        self.assertEqual((reply.status, reply.body), (200, "a 1.0\n"))
        self.assertEqual(reply.fields["content-type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_others(self) -> None:
        """Nothing else is there: no admin API on a public port."""
        for path in ("/", "/metrics", "/api/v1/config_dump"):
            self.assertEqual(ask(self.site, "GET", path).status, 404)
        self.assertEqual(ask(self.site, "POST", "/stats/prom").status, 405)
