"""Tests of `mosntx.config.resolve`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.config.samples import EVERYTHING, SMALL_BUILD, found, load, minimal, proxy, withListener

LISTENER = "servers[0].listeners[0]"


class ServerTests(SynchronousTestCase):
    """Hooks of the server."""

    def test_cpuCount(self) -> None:
        """A number, `auto`, and words that MOSN takes for it with a warning."""
        obj = minimal()
        for value in (4, "4", "auto", "AUTO", None):
            obj["servers"][0]["processor"] = value
            self.assertEqual(found(obj), [])
        obj["servers"][0]["processor"] = "many"
        self.assertEqual(found(obj), [("warning", "servers[0].processor")])
        obj["servers"][0]["processor"] = [1]
        self.assertEqual(found(obj), [("error", "servers[0].processor")])

    def test_gracefulTimeout(self) -> None:
        """Zero is the default, as in MOSN."""
        obj = minimal()
        obj["servers"][0]["graceful_timeout"] = 0
        self.assertEqual(load(obj).config.server.graceful_timeout, 30.0)


class ListenerTests(SynchronousTestCase):
    """Hooks of listeners."""

    def test_name(self) -> None:
        """Without a name the address is the name."""
        self.assertEqual(
            load(withListener(name="")).config.server.listeners[0].name, "127.0.0.1:2045"
        )

    def test_networks(self) -> None:
        """A listener that this build cannot open is left out and reported, never opened as TCP."""
        for network in ("udp", "unix"):
            obj = withListener(network=network)
            expected = [("unsupported", f"{LISTENER}.network")]
            self.assertEqual(found(obj, SMALL_BUILD), expected)
            self.assertEqual(load(obj, SMALL_BUILD).config.server.listeners, ())
            self.assertEqual(len(load(obj, EVERYTHING).config.server.listeners), 1)

    def test_inspector(self) -> None:
        """Also inside of a TLS context that is on, as in 0.1."""
        context = {"status": True, "inspector": True, "fall_back": True}
        obj = withListener(filter_chains=[{"tls_context": context, "filters": [proxy()]}])
        self.assertTrue(load(obj).config.server.listeners[0].inspector)

    def test_twoFormsOfTls(self) -> None:
        """One context or a set of them."""
        chain = {"tls_context": {}, "tls_context_set": [{}], "filters": [proxy()]}
        obj = withListener(filter_chains=[chain])
        where = f"{LISTENER}.filter_chains[0].tls_context_set"
        self.assertEqual(found(obj), [("error", where)])

    def test_originalDestination(self) -> None:
        """The old switch, when the build has the feature and when it has not."""
        obj = withListener(handoff_restoreddestination=True)
        self.assertEqual(load(obj).config.server.listeners[0].use_original_dst, "redirect")
        where = f"{LISTENER}.handoff_restoreddestination"
        self.assertEqual(found(obj, SMALL_BUILD), [("unsupported", where)])
        for value, expected in ((True, "redirect"), (False, ""), ("tproxy", "tproxy")):
            obj = withListener(use_original_dst=value)
            self.assertEqual(load(obj).config.server.listeners[0].use_original_dst, expected)
        bad = withListener(use_original_dst="yes")
        self.assertEqual(found(bad), [("error", f"{LISTENER}.use_original_dst")])


class TopTests(SynchronousTestCase):
    """Hooks of the top level."""

    def with_(self, **more: Any) -> dict[str, Any]:
        """`minimal` with more keys."""
        return {**minimal(), **more}

    def test_tracing(self) -> None:
        """Off without driver; drivers that are not built or unknown leave it off."""
        self.assertEqual(found(self.with_(tracing={"enable": True}), SMALL_BUILD), [])
        for driver, severity in (("jaeger", "unsupported"), ("jeager", "warning")):
            obj = self.with_(tracing={"enable": True, "driver": driver})
            self.assertEqual(found(obj, SMALL_BUILD), [(severity, "tracing.driver")])
            tracing = load(obj, SMALL_BUILD).config.tracing
            assert tracing is not None
            self.assertFalse(tracing.enable)

    def test_pprof(self) -> None:
        """Only when it is on."""
        self.assertEqual(found(self.with_(pprof={"debug": False}), SMALL_BUILD), [])
        obj = self.with_(pprof={"debug": True})
        self.assertEqual(found(obj, SMALL_BUILD), [("unsupported", "pprof.debug")])
        assert load(obj).config.pprof is not None

    def test_sinks(self) -> None:
        """Known, unknown, malformed."""
        good = {"type": "prometheus", "config": {"port": 1}}
        obj = self.with_(metrics={"sinks": [good, {"type": "statsd"}]})
        self.assertEqual(found(obj), [("warning", "metrics.sinks[1].type")])
        self.assertEqual(len(load(obj).config.metrics.sinks), 1)
        self.assertEqual(load(obj).config.metrics.sinks[0].config.port, 1)
        self.assertIn(("unsupported", "metrics.sinks[0].type"), found(obj, SMALL_BUILD))
        obj = self.with_(metrics={"sinks": [{"type": "prometheus"}]})
        self.assertEqual(found(obj), [("error", "metrics.sinks[0].config.port")])
        self.assertEqual(found(self.with_(metrics={"sinks": 5})), [("error", "metrics.sinks")])
