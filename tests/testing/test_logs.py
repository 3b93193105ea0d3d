"""Tests of `mosntx.testing.logs`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.proxy.logsink import ILogTarget
from mosntx.testing.logs import MemoryTarget


class MemoryTargetTests(SynchronousTestCase):
    """The fake keeps the contract it stands for."""

    def test_contract(self) -> None:
        """It is a target."""
        verifyObject(ILogTarget, MemoryTarget())

    def test_room(self) -> None:
        """It takes what it has room for, then nothing, or fails."""
        target = MemoryTarget(room=3)
        self.assertEqual(target.write(memoryview(b"abcd")), 3)
        self.assertEqual(target.write(memoryview(b"d")), 0)
        target.error = OSError("full")
        self.assertRaises(OSError, target.write, memoryview(b"d"))
        self.assertEqual(target.data, b"abc")
