"""Tests of `mosntx.config.dump`."""

from __future__ import annotations

import json
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.dump import (
    REDACTED,
    dumpCluster,
    dumpConfig,
    dumpGlobal,
    dumpListener,
    dumpObject,
    dumpRouter,
)
from mosntx.config.load import loadText
from mosntx.config.schema import Duration, Secret
from tests.config import samples
from tests.config.allkeys import ALL_KEYS_JSON
from tests.config.samples import EVERYTHING, load


@attrs.frozen
class FilterSettings:
    """Settings of somebody's filter."""

    wait: Duration = 1.0
    maybe: Duration | None = None
    password: Secret = ""


class DumpTests(SynchronousTestCase):
    """MOSN's JSON shape."""

    def test_loadsAgain(self) -> None:
        """A dump is JSON, and loading it gives the same configuration."""
        config = loadText(ALL_KEYS_JSON, "all.json", EVERYTHING).config
        dumped = json.loads(json.dumps(dumpConfig(config)))
        again = load(dumped).config
        secrets = (config.server.listeners[0], again.server.listeners[0])
        contexts = [listener.filter_chains[0].tls_context for listener in secrets]
        assert contexts[0] is not None and contexts[1] is not None
        self.assertEqual(contexts[1].private_key, REDACTED)
        self.assertEqual(
            attrs.evolve(contexts[1], private_key=contexts[0].private_key), contexts[0]
        )
        self.assertEqual(dumpConfig(again), dumped)

    def test_secrets(self) -> None:
        """Keys are not shown anywhere; empty ones stay absent; the configuration keeps its own."""
        obj = samples.withCluster(tls_context={"private_key": "TOPSECRET", "ticket": "TICKET"})
        config = load(obj).config
        text = json.dumps(dumpConfig(config)) + json.dumps(
            dumpCluster(config.cluster_manager.clusters[0])
        )
        self.assertNotIn("TOPSECRET", text)
        self.assertNotIn("TICKET", text)
        context = config.cluster_manager.clusters[0].tls_context
        assert context is not None
        self.assertEqual(context.private_key, "TOPSECRET")
        self.assertEqual(dumpObject(attrs.evolve(context, private_key="", ticket="")), {})

    def test_values(self) -> None:
        """Durations in Go's form, metadata in its wrapper, defaults absent."""
        host = {"address": "127.0.0.1:1", "metadata": {"a": "b"}}
        more = {"connect_timeout": "90s", "idle_timeout": 0, "hosts": [host], "mark": 0}
        cluster = load(samples.withCluster(**more)).config.cluster_manager.clusters[0]
        expected: dict[str, Any] = {
            "name": "c",
            "lb_type": "LB_RANDOM",
            "connect_timeout": "1m30s",
            "idle_timeout": "0s",
            "hosts": [
                {"address": "127.0.0.1:1", "metadata": {"filter_metadata": {"mosn.lb": {"a": "b"}}}}
            ],
        }
        self.assertEqual(dumpCluster(cluster), expected)

    def test_filterSettings(self) -> None:
        """Objects of third-party classes are dumped by their annotations."""
        settings = FilterSettings(1.5, 0.25, "x")
        expected = {"wait": "1.5s", "maybe": "250ms", "password": REDACTED}
        self.assertEqual(dumpObject(settings), expected)
        self.assertEqual(dumpObject(FilterSettings()), {})

    def test_parts(self) -> None:
        """The global part has no listeners, routers and clusters; each of those stands alone."""
        config = load(samples.minimal()).config
        self.assertEqual(dumpGlobal(config)["servers"], [{}])
        self.assertNotIn("clusters", json.dumps(dumpGlobal(config)))
        self.assertEqual(dumpRouter(config.server.routers[0])["router_config_name"], "r")
        self.assertEqual(dumpListener(config.server.listeners[0])["address"], "127.0.0.1:2045")

    def test_skippedFilters(self) -> None:
        """Filters that this build does not run are in the dump, as given."""
        obj = samples.withListener(
            stream_filters=[{"type": "mirror", "config": {"broadcast": True}}]
        )
        listener = load(obj, samples.SMALL_BUILD).config.server.listeners[0]
        self.assertEqual(listener.stream_filters, ())
        dumped = dumpListener(listener)["stream_filters"]
        self.assertEqual(dumped, [{"type": "mirror", "config": {"broadcast": True}}])
