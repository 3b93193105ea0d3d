"""Tests of `bench.memory.objects`."""

from __future__ import annotations

import contextlib
import io
import os
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from bench.memory.allocated import VALUE, VARIABLE
from bench.memory.objects import main


class MainTests(SynchronousTestCase):
    """The process that counts."""

    def test_notCounted(self) -> None:
        """Where Python's own objects are not counted it says what to run instead."""
        if os.environ.get(VARIABLE) == VALUE:
            raise SkipTest("they are counted here")
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.assertEqual(main(), 2)
        self.assertIn("python -m bench.memory:", err.getvalue())
