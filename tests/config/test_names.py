"""Tests of `mosntx.config.names`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.fields import classSpec
from mosntx.config.names import FEATURES, Names
from mosntx.config.reference import ROOTS, _classes
from mosntx.config.schema import Keepalive


def features(cls: type, seen: set[type]) -> Iterator[str]:
    """Features that a class and the classes below it name."""
    if cls in seen:
        return
    seen.add(cls)
    for field in classSpec(cls).fields:
        yield field.notes.get("feature", "")
        for member in _classes(field.annotation):
            yield from features(member, seen)


class NamesTests(SynchronousTestCase):
    """What a build knows."""

    def test_collections(self) -> None:
        """Names may be given as any collection; filters with or without classes."""
        names = Names(protocols=["Http1"], networkFilters={"a"}, streamFilters={"b": Keepalive})
        self.assertEqual(names.protocols, frozenset({"Http1"}))
        self.assertEqual(names.networkFilters, {"a": None})
        self.assertEqual(names.streamFilters["b"], Keepalive)

    def test_everySchemaFeatureIsDescribed(self) -> None:
        """The schema names no feature that `FEATURES` lacks."""
        named: set[Any] = set()
        for _, root in ROOTS:
            named.update(features(root, set()))
        self.assertEqual(named - {""} - set(FEATURES), set())

    def test_frozen(self) -> None:
        """A build does not change."""
        self.assertRaises(attrs.exceptions.FrozenInstanceError, setattr, Names(), "features", ())
