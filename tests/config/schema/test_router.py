"""Tests of `mosntx.config.schema.router`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import (
    ClusterWeight,
    HeaderToAdd,
    HeaderValue,
    WeightedCluster,
)


class RouterTests(SynchronousTestCase):
    """Values that follow from others."""

    def test_shortcuts(self) -> None:
        """Parts of MOSN's nested objects, without the nesting."""
        header = HeaderToAdd(header=HeaderValue(key="X-A", value="b"))
        self.assertEqual((header.key, header.value, header.append), ("x-a", "b", True))
        weight = ClusterWeight(name="c", weight=2, metadata_match={"a": "b"})
        item = WeightedCluster(cluster=weight)
        self.assertEqual((item.name, item.weight, item.metadata_match), ("c", 2, {"a": "b"}))
