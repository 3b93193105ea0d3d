"""Tests of `mosntx.config.fields`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.fields import classSpec, joinPath
from mosntx.config.schema import CheckConfig, Host, Listener, Match


class FieldsTests(SynchronousTestCase):
    """What is known of a class."""

    def test_classSpec(self) -> None:
        """Keys in any case, older spellings, the loader's own attributes left out."""
        spec = classSpec(Host)
        field = spec.find("META_DATA")
        assert field is not None
        self.assertEqual(field.key, "metadata")
        self.assertIsNone(spec.find("path"))
        self.assertTrue(spec.hasPath)
        self.assertFalse(classSpec(Match).hasPath)
        self.assertIsNotNone(classSpec(Match).find("path"))
        self.assertIsNone(classSpec(CheckConfig).find("HTTP_CHECK_CONFIG"))
        self.assertNotIn("skipped_stream_filters", classSpec(Listener).byKey)

    def test_joinPath(self) -> None:
        """Odd keys are quoted."""
        self.assertEqual(joinPath("", "a"), "a")
        self.assertEqual(joinPath("a[0]", "b-c"), "a[0].b-c")
        self.assertEqual(joinPath("a", "b.c"), 'a["b.c"]')
