"""Tests of `mosntx.config.filterspecs`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.config import samples
from tests.config.samples import EVERYTHING, SMALL_BUILD, found, load, problemsOf, withListener

LISTENER = "servers[0].listeners[0]"
FILTERS = f"{LISTENER}.filter_chains[0].filters"


def network(*filters: Any) -> dict[str, Any]:
    """A listener with these network filters."""
    return withListener(filter_chains=[{"filters": list(filters)}])


class NetworkFilterTests(SynchronousTestCase):
    """Network filters."""

    def test_unknown(self) -> None:
        """A name that nobody knows is an error with a suggestion."""
        (problem,) = problemsOf(network({"type": "porxy"}))
        self.assertEqual((problem.severity, problem.path), ("error", f"{FILTERS}[0].type"))
        self.assertIn("did you mean 'proxy'?", problem.fix)

    def test_notBuilt(self) -> None:
        """A name of MOSN's is skipped; without any other filter that is an error."""
        obj = network({"type": "tunnel"}, samples.proxy())
        self.assertEqual(found(obj, SMALL_BUILD), [("unsupported", f"{FILTERS}[0].type")])
        listener = load(obj, SMALL_BUILD).config.server.listeners[0]
        self.assertEqual([spec.type for spec in listener.filters], ["proxy"])
        self.assertEqual([s.type for s in listener.filter_chains[0].skipped_filters], ["tunnel"])
        alone = found(network({"type": "tunnel"}), SMALL_BUILD)
        self.assertEqual({severity for severity, _ in alone}, {"unsupported", "error"})
        self.assertIn(("error", FILTERS), alone)

    def test_none(self) -> None:
        """No filter at all is an error; so is one without type."""
        self.assertEqual(found(network()), [("error", FILTERS)])
        self.assertEqual(found(network({})), [("error", f"{FILTERS}[0].type")])
        self.assertEqual(found(network(5)), [("error", f"{FILTERS}[0]")])
        self.assertEqual(found(network({"type": 5})), [("error", f"{FILTERS}[0].type")] * 2)

    def test_oneFilterChain(self) -> None:
        """None and two are errors."""
        for chains in ([], [{"filters": [samples.proxy()]}] * 2):
            obj = withListener(filter_chains=chains)
            self.assertEqual(found(obj), [("error", f"{LISTENER}.filter_chains")])

    def test_badConfig(self) -> None:
        """Settings that are no object are reported once."""
        obj = network({"type": "proxy", "config": []})
        self.assertEqual(found(obj), [("error", f"{FILTERS}[0].config")])


class StreamFilterTests(SynchronousTestCase):
    """Stream filters."""

    def test_skipped(self) -> None:
        """Unknown ones are warned about, MOSN's reported, `healthcheck` is silent."""
        names = ("demo", "mirror", "healthcheck", "ip_access")
        obj = withListener(stream_filters=[{"type": name} for name in names])
        where = f"{LISTENER}.stream_filters"
        expected = [
            ("warning", f"{where}[0].type"),
            ("unsupported", f"{where}[1].type"),
            ("unsupported", f"{where}[3].type"),
        ]
        self.assertEqual(found(obj, SMALL_BUILD), expected)
        strict = [("error", f"{where}[0].type"), *expected[1:]]
        self.assertEqual(found(obj, SMALL_BUILD, strict=True), strict)
        listener = load(obj, SMALL_BUILD).config.server.listeners[0]
        self.assertEqual(listener.stream_filters, ())
        self.assertEqual([s.type for s in listener.skipped_stream_filters], list(names))

    def test_accessControlIsLoud(self) -> None:
        """A filter that guards the service says that it does not."""
        obj = withListener(stream_filters=[{"type": "ip_access"}])
        (problem,) = problemsOf(obj, SMALL_BUILD)
        self.assertIn("NOT checked", problem.fix)

    def test_goPlugin(self) -> None:
        """A shared object is never loaded, whatever its type says."""
        plugin = {"so_path": "x.so", "factory_method": "f"}
        obj = withListener(stream_filters=[{"type": "mirror", "go_plugin_config": plugin}])
        where = f"{LISTENER}.stream_filters[0].go_plugin_config"
        self.assertEqual(found(obj, EVERYTHING), [("unsupported", where)])

    def test_order(self) -> None:
        """The order of the file is kept."""
        names = ["gzip", "fault", "mirror"]
        obj = withListener(stream_filters=[{"type": name} for name in names])
        specs = load(obj).config.server.listeners[0].stream_filters
        self.assertEqual([spec.type for spec in specs], names)
        self.assertEqual(specs[2].path, f"{LISTENER}.stream_filters[2]")


class ListenerFilterTests(SynchronousTestCase):
    """Listener filters."""

    def test_names(self) -> None:
        """Built, not built, unknown."""
        obj = withListener(listener_filters=[{"type": "original_dst"}, {"type": "x"}])
        where = f"{LISTENER}.listener_filters"
        self.assertEqual(found(obj), [("warning", f"{where}[1].type")])
        (spec,) = load(obj).config.server.listeners[0].listener_filters
        self.assertEqual(spec.config.type, "redirect")
        expected = [("unsupported", f"{where}[0].type"), ("warning", f"{where}[1].type")]
        self.assertEqual(found(obj, SMALL_BUILD), expected)
        bad = withListener(listener_filters=[{"type": "original_dst", "config": {"type": "x"}}])
        self.assertEqual(found(bad), [("error", f"{where}[0].config.type")])
