"""Tests of `mosntx.admin.logging`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.admin.requests import Switches, adminAsk

PATH = "/logs/mosn.log"


class LogLevelTests(SynchronousTestCase):
    """Levels."""

    def test_get(self) -> None:
        """The level of each log."""
        self.assertEqual(adminAsk("GET", "/api/v1/get_loglevel").json, {PATH: "INFO"})

    def test_update(self) -> None:
        """A level is changed."""
        switches = Switches()
        reply = adminAsk(
            "POST",
            "/api/v1/update_loglevel",
            b'{"log_path":"/logs/mosn.log","log_level":"DEBUG"}',
            setLogLevel=switches.set,
        )
        self.assertEqual((reply.status, reply.body), (200, "update logger success\n"))
        self.assertEqual(switches.calls, [(PATH, "DEBUG")])

    def test_bad(self) -> None:
        """What is no such JSON, or names no log, is refused in MOSN's words."""
        for text in (
            b"",
            b"{",
            b"[]",
            b'"x"',
            b"{}",
            b'{"log_path":"/logs/mosn.log"}',
            b'{"log_path":1,"log_level":"INFO"}',
            b'{"log_path":"/other","log_level":"INFO"}',
            b'{"log_level":"INFO"}',
            b"\xff\xfe",
            b"[" * 60000,
            b" " * 70000,
        ):
            reply = adminAsk("POST", "/api/v1/update_loglevel", text)
            self.assertEqual(reply.status, 400, text[:40])
            self.assertEqual(reply.body, '{\n\t"error": "update logger failed"\n}\n')


class SwitchTests(SynchronousTestCase):
    """On and off."""

    def test_switch(self) -> None:
        """The body is the path."""
        for word, enabled in (("enable", True), ("disable", False)):
            switches = Switches()
            reply = adminAsk(
                "POST", f"/api/v1/{word}_log", PATH.encode(), setLogEnabled=switches.set
            )
            self.assertEqual((reply.status, reply.body), (200, f"{word} logger success\n"))
            self.assertEqual(switches.calls, [(PATH, enabled)])

    def test_unknown(self) -> None:
        """A path that no log has is refused."""
        for path in (b"", b"/other", b"\xff", b"x" * 70000):
            reply = adminAsk("POST", "/api/v1/enable_log", path)
            self.assertEqual(reply.status, 400)
            self.assertEqual(reply.json, {"error": "enable logger failed"})
