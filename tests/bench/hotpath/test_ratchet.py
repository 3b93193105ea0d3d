"""Tests of the record, and the test that holds the costs of a request down."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench.hotpath import ratchet
from bench.hotpath.counting import Counts

COUNTS = Counts(10.0, 5.0, 3.0, 2.0)


class RecordTests(SynchronousTestCase):
    """Writing, reading, comparing."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def record(self, **changes: Any) -> dict[str, Any]:
        """A record of one scene."""
        ratchet.save({"one": COUNTS}, self.path)
        return {**ratchet.load(self.path), **changes}

    def test_same(self) -> None:
        """What was recorded is no rise; neither is less."""
        record = self.record()
        self.assertEqual(ratchet.rises(record, "one", COUNTS), [])
        self.assertEqual(ratchet.rises(record, "one", Counts(9.0, 5.0, 1.0, 0.0)), [])

    def test_rise(self) -> None:
        """Each figure that has risen is named with its record."""
        (call, block) = ratchet.rises(self.record(), "one", Counts(11.0, 5.0, 3.4, 2.6))
        self.assertEqual(call, "one: 11.0 python per request, more than the recorded 10.0")
        self.assertIn("2.6 held", block)

    def test_missing(self) -> None:
        """A scene without a record fails: somebody has to look at it."""
        self.assertEqual(ratchet.rises({}, "one", COUNTS), ["one: there is no record"])
        self.assertEqual(ratchet.load(self.path), {})

    def test_otherPython(self) -> None:
        """Another Python may call a little more."""
        record = self.record(python="2.7")
        self.assertEqual(ratchet.rises(record, "one", Counts(12.0, 6.0, 3.0, 2.0)), [])
        self.assertEqual(len(ratchet.rises(record, "one", Counts(13.0, 5.0, 3.0, 2.0))), 1)

    def test_update(self) -> None:
        """Scenes that were not run keep what they have."""
        self.record()
        ratchet.save({"two": COUNTS}, self.path)
        self.assertEqual(list(ratchet.load(self.path)["scenes"]), ["one", "two"])


class RatchetTests(SynchronousTestCase):
    """No change makes requests dearer unseen.

    When a count rises for a good reason: ``python -m bench.hotpath --update``.
    """

    def test_requests(self) -> None:
        """No protocol takes more calls or memory per request than recorded.

        In a process of its own: how blocks are counted depends on what ran before.
        """
        if find_spec("ngh2") is None:
            raise SkipTest("the extra fast is not installed")
        command = [sys.executable, "-m", "bench.hotpath"]
        root = Path(ratchet.__file__).parents[2]
        ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("two-hops", ran.stdout)
