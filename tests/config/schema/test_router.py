"""Tests of `mosntx.config.schema.router`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import (
    ClusterWeight,
    DslExpression,
    HeaderToAdd,
    HeaderValue,
    Match,
    VariableMatch,
    WeightedCluster,
)


class RouterTests(SynchronousTestCase):
    """Values that follow from others."""

    def test_kindOfMatch(self) -> None:
        """The first key that is given decides; nothing given is a header rule."""
        variable = VariableMatch(name="a")
        expression = DslExpression(expression="true")
        cases = [
            (Match(prefix="/", path="/", regex="/"), "prefix"),
            (Match(path="/", regex="/"), "path"),
            (Match(regex="/", variables=(variable,)), "regex"),
            (Match(variables=(variable,), dsl_expressions=(expression,)), "variables"),
            (Match(dsl_expressions=(expression,)), "dsl"),
            (Match(), "headers"),
        ]
        for match, kind in cases:
            self.assertEqual(match.kind, kind)

    def test_shortcuts(self) -> None:
        """Parts of MOSN's nested objects, without the nesting."""
        header = HeaderToAdd(header=HeaderValue(key="X-A", value="b"))
        self.assertEqual((header.key, header.value, header.append), ("x-a", "b", True))
        weight = ClusterWeight(name="c", weight=2, metadata_match={"a": "b"})
        item = WeightedCluster(cluster=weight)
        self.assertEqual((item.name, item.weight, item.metadata_match), ("c", 2, {"a": "b"}))
