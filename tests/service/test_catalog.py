"""Tests of `mosntx.service.catalog`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.names import CLUSTER_TYPES as MOSN_CLUSTER_TYPES
from mosntx.config.names import FEATURES as ALL_FEATURES
from mosntx.contracts.codec import IProtocol
from mosntx.contracts.filters import IStreamFilterFactory
from mosntx.contracts.net import INetworkFilterType
from mosntx.contracts.upstream import ILoadBalancerFactory
from mosntx.filters.fault import FaultConfig
from mosntx.service.catalog import CLUSTER_TYPES, FEATURES, standardCatalog
from mosntx.service.protocols import http2Engines
from mosntx.upstream.clusters import DEFAULT_BALANCER


def row(name):
    """Return something to put into a catalog."""
    return SimpleNamespace(name=name, configClass=None)


class StandardTests(SynchronousTestCase):
    """What comes with mosntx."""

    def test_contracts(self):
        """Every row keeps the contract of its table and is filed under its own name."""
        catalog = standardCatalog()
        for rows, interface in (
            (catalog.networkFilters, INetworkFilterType),
            (catalog.streamFilters, IStreamFilterFactory),
            (catalog.balancers, ILoadBalancerFactory),
        ):
            for name, each in rows.items():
                verifyObject(interface, each)
                self.assertEqual(each.name, name)
        for name, make in catalog.protocols.items():
            protocol = make(None)
            verifyObject(IProtocol, protocol)
            self.assertEqual(protocol.name, name)

    def test_defaultBalancer(self):
        """The balancer that clusters fall back to is there."""
        self.assertIn(DEFAULT_BALANCER, standardCatalog().balancers)

    def test_known(self):
        """Features and cluster types are spelt as the loader spells them."""
        self.assertEqual(FEATURES - set(ALL_FEATURES), set())
        self.assertEqual(CLUSTER_TYPES - MOSN_CLUSTER_TYPES, set())

    def test_names(self):
        """The loader is told all names, with the configuration classes of filters."""
        catalog = standardCatalog()
        names = catalog.names()
        self.assertIn("Http1", names.protocols)
        self.assertIs(names.streamFilters["fault"], FaultConfig)
        self.assertEqual(
            set(names.networkFilters),
            {"proxy", "tcp_proxy", "connection_manager", *catalog.networkFilters},
        )
        self.assertEqual(names.features, FEATURES)
        self.assertEqual(names.engines, http2Engines())

    def test_order(self):
        """`Auto` asks for the preface of HTTP/2 before HTTP/1."""
        self.assertEqual(
            list(standardCatalog().protocols), ["bolt", "boltv2", "tr", "Http2", "Http1"]
        )


class ExtendedTests(SynchronousTestCase):
    """Names of users."""

    def test_extended(self):
        """New rows come to the others; the catalog before does not change."""
        before = standardCatalog()
        after = before.extended(
            networkFilters=[row("n")], streamFilters=[row("s")], balancers=[row("b")]
        )
        for tables in ("networkFilters", "streamFilters", "balancers"):
            self.assertEqual(len(getattr(after, tables)), len(getattr(before, tables)) + 1)
        names = after.names()
        self.assertIn("n", names.networkFilters)
        self.assertIn("s", names.streamFilters)
        self.assertIn("b", names.balancers)
        self.assertNotIn("s", before.names().streamFilters)

    def test_protocols(self):
        """New protocols come to the others, in front of them, and the loader knows their names."""
        before = standardCatalog()
        rows: Any = {"echo": lambda config: None, "x-1": lambda config: None}
        after = before.extended(protocols=rows)
        self.assertEqual(list(after.protocols), ["echo", "x-1", *before.protocols])
        self.assertEqual(after.names().protocols, {"echo", "x-1", *before.protocols})
        self.assertNotIn("echo", before.names().protocols)

    def test_protocolTaken(self):
        """A protocol of the same name is an error that says which."""
        for name in standardCatalog().protocols:
            error = self.assertRaises(
                ValueError, standardCatalog().extended, protocols={name: lambda config: None}
            )
            self.assertEqual(str(error), f"the protocol {name!r} exists already")

    def test_noProtocol(self):
        """Names that mean something else in a configuration are refused."""
        for name in ("", "Auto", "SofaRpc", "X", "Xprotocol", "a,b", " a"):
            error = self.assertRaises(
                ValueError, standardCatalog().extended, protocols={name: lambda config: None}
            )
            self.assertIn(repr(name), str(error))

    def test_nothing(self):
        """Nothing more is the same again."""
        self.assertEqual(standardCatalog().extended().names(), standardCatalog().names())

    def test_taken(self):
        """A name that is taken is an error that says which."""
        catalog = standardCatalog().extended(listenerFilters=[row("mine")])
        for kind, name, more in (
            ("listener filter", "mine", {"listenerFilters": [row("mine")]}),
            ("network filter", "fault_inject", {"networkFilters": [row("fault_inject")]}),
            ("stream filter", "fault", {"streamFilters": [row("fault")]}),
            ("load balancer", "LB_RANDOM", {"balancers": [row("LB_RANDOM")]}),
            ("cluster type", "STRICT_DNS", {"discoveries": [row("STRICT_DNS")]}),
            ("cluster type", "SIMPLE", {"discoveries": [row("SIMPLE")]}),
        ):
            error = self.assertRaises(ValueError, catalog.extended, **more)
            self.assertEqual(str(error), f"the {kind} {name!r} exists already")

    def test_twice(self):
        """Two new rows of one name are an error too."""
        error = self.assertRaises(
            ValueError, standardCatalog().extended, streamFilters=[row("x"), row("x")]
        )
        self.assertIn("'x'", str(error))

    def test_proxyIsTaken(self):
        """The names of the network filters that wiring makes itself are taken."""
        for name in ("proxy", "tcp_proxy"):
            self.assertRaises(ValueError, standardCatalog().extended, networkFilters=[row(name)])
