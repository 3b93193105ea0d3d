"""Tests of `mosntx.admin.configdump`."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.admin.requests import DUMP, adminAsk


class ConfigDumpTests(SynchronousTestCase):
    """All forms of the parameter."""

    def test_all(self) -> None:
        """Without parameter everything, compact."""
        reply = adminAsk("GET", "/api/v1/config_dump")
        self.assertEqual(reply.json, DUMP)
        self.assertEqual(reply.fields["content-type"], "application/json")
        self.assertNotIn(": ", reply.body)

    def test_parts(self) -> None:
        """One part, indented by one blank; the parameter needs no value."""
        for parameter, part in (
            ("mosnconfig", "mosn_config"),
            ("allrouters", "routers"),
            ("allclusters", "cluster"),
            ("alllisteners", "listener"),
        ):
            for form in (parameter, f"{parameter}=", f"{parameter}=x"):
                reply = adminAsk("GET", f"/api/v1/config_dump?{form}")
                self.assertEqual(reply.body, json.dumps(DUMP[part], indent=1))

    def test_named(self) -> None:
        """One object by name, an empty one when there is none."""
        for parameter, part, name in (
            ("router", "routers", "r"),
            ("cluster", "cluster", "c"),
            ("listener", "listener", "in"),
        ):
            reply = adminAsk("GET", f"/api/v1/config_dump?{parameter}={name}")
            self.assertEqual(reply.json, DUMP[part][name])
            reply = adminAsk("GET", f"/api/v1/config_dump?{parameter}=nobody")
            self.assertEqual((reply.status, reply.json), (200, {}))

    def test_empty(self) -> None:
        """Parts that the configuration does not have are empty."""
        for parameter in ("mosnconfig", "allrouters", "router=r"):
            reply = adminAsk("GET", f"/api/v1/config_dump?{parameter}", configDump=dict)
            self.assertEqual((reply.status, reply.json), (200, {}))

    def test_unknown(self) -> None:
        """An unknown parameter is an error of 500, as in MOSN."""
        reply = adminAsk("GET", "/api/v1/config_dump?all")
        self.assertEqual((reply.status, reply.json), (500, {"error": "internal error"}))

    def test_tooMany(self) -> None:
        """Two parameters are too many."""
        reply = adminAsk("GET", "/api/v1/config_dump?router=r&cluster=c")
        self.assertEqual((reply.status, reply.body), (400, "only support one parameter"))
