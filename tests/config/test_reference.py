"""Tests of `mosntx.config.reference`."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.fields import classSpec
from mosntx.config.names import Names
from mosntx.config.reference import ROOTS, _walk, referenceClass, referenceRst, typeText
from mosntx.config.schema import Cidr, Duration, Host, LbSubsetConfig, Metadata, Uint32


class ReferenceTests(SynchronousTestCase):
    """The generated reference."""

    def test_everyKeyIsThere(self) -> None:
        """Each class has a section, each key a row with its meaning."""
        text = referenceRst()
        for cls, _ in _walk():
            self.assertIn(f".. _config-{cls.__name__.lower()}:", text)
            for field in classSpec(cls).fields:
                self.assertIn(f"   * - ``{field.key}``", text)
                self.assertTrue(field.notes.get("doc"), f"{cls.__name__}.{field.name}")
        self.assertGreater(len(dict(_walk())), len(ROOTS) + 40)

    def test_everyRowHasAllColumns(self) -> None:
        """Six cells for each key: sphinx refuses uneven rows."""
        cells = 0
        for line in referenceRst().splitlines():
            if line.startswith("   * -"):
                self.assertIn(cells, (0, 6))
                cells = 1
            elif line.startswith("     -"):
                cells += 1
            else:
                self.assertIn(cells, (0, 6))
                cells = 0

    def test_status(self) -> None:
        """Supported, accepted or ignored, by what the build has."""
        rows = referenceRst(Names(features={"retry"})).split("   * - ")
        status = {
            row.split("``")[1]: row.splitlines()[4].strip(" -") for row in rows if "``" in row
        }
        self.assertEqual(status["retry_policy"], "supported")
        self.assertEqual(status["lb_subset_config"], "accepted")
        self.assertEqual(status["max_request_per_conn"], "ignored")
        self.assertEqual(status["service_registry"], "ignored")

    def test_types(self) -> None:
        """Types in words."""
        self.assertEqual(typeText(Duration), "duration")
        self.assertEqual(typeText(Duration | None), "duration")
        self.assertEqual(typeText(Uint32), "whole number, 0 to 4294967295")
        self.assertEqual(typeText(tuple[Cidr, ...]), "list of network")
        self.assertEqual(typeText(Metadata), "metadata")
        self.assertEqual(typeText(int | str), "whole number or text")
        self.assertEqual(typeText(Host), ":ref:`Host <config-host>`")

    def test_oneClass(self) -> None:
        """The table of a filter's settings; plain attrs classes have no meanings but keys."""

        @attrs.frozen
        class Settings:
            """Settings."""

            speed: float = 1.5

        self.assertIn("``fall_back_policy``", referenceClass(LbSubsetConfig))
        self.assertIn("``speed``", referenceClass(Settings))
