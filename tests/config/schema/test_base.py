"""Tests of `mosntx.config.schema.base`."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema.base import Located, internal, option


@attrs.frozen(kw_only=True)
class Sample(Located):
    """A class like those of the schema."""

    needed: int = option("Needed.")
    given: int = option("Given.", default=1)
    made: list[int] = option("Made.", factory=list)
    derived: int = internal(2)


class BaseTests(SynchronousTestCase):
    """How the schema says things."""

    def test_defaults(self) -> None:
        """Required, default, factory."""
        self.assertRaises(TypeError, Sample)
        sample = Sample(needed=1)
        self.assertEqual((sample.given, sample.made, sample.derived, sample.path), (1, [], 2, ""))

    def test_equality(self) -> None:
        """The place of an object is no part of its value."""
        self.assertEqual(Sample(needed=1, path="a"), Sample(needed=1, path="b", derived=3))
        self.assertNotEqual(Sample(needed=1), Sample(needed=2))

    def test_notes(self) -> None:
        """What the reference needs is in the metadata."""
        self.assertEqual(attrs.fields(Sample).needed.metadata["doc"], "Needed.")
        self.assertTrue(attrs.fields(Sample).path.metadata["internal"])
