"""Tests of `mosntx.admin.registry.fields`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.admin.registry.fields import MAX_NAME, Fields
from mosntx.admin.registry.view import RegistryError


def fields(**found: Any) -> Fields:
    """Return the fields of an object."""
    return Fields(json.dumps(found).encode())


class FieldsTests(SynchronousTestCase):
    """Objects of requests."""

    def test_keysInAnyCase(self) -> None:
        """As in Go, `registryEndPoint` and `registryEndpoint` are one key."""
        for key in ("registryEndPoint", "registryEndpoint", "REGISTRYENDPOINT"):
            self.assertEqual(fields(**{key: "a"}).text("registryendpoint"), "a")

    def test_absent(self) -> None:
        """What is missing or null is empty."""
        for found in (fields(), fields(a=None, port=None)):
            self.assertEqual((found.text("a"), found.flag("a"), found.port()), ("", False, 0))
            self.assertEqual(found.inner("a").text("b"), "")

    def test_wrongTypes(self) -> None:
        """Values of another type are refused, as Go refuses them."""
        found = fields(text=1, flag="true", inner=[], servicename=5)
        for read, key in ((found.text, "text"), (found.flag, "flag"), (found.inner, "inner")):
            self.assertRaises(ValueError, read, key)
        self.assertRaises(ValueError, found.service)

    def test_noObject(self) -> None:
        """What is no object at all is refused, also a body that was too long."""
        for octets in (b"", b"{", b"[]", b'"a"', b"1", b"null", b"\xff", b"{}{}", None):
            self.assertRaises(ValueError, Fields, octets)

    def test_port(self) -> None:
        """Text, as anthunder sends it, or a number; empty means not said."""
        for value, port in (("21101", 21101), (21101, 21101), ("", 0), ("1", 1), ("65535", 65535)):
            self.assertEqual(fields(port=value).port(), port)

    def test_wrongPort(self) -> None:
        """What is no port is not guessed at."""
        value: Any
        for value in ("0", 0, "65536", -1, "-1", "a", " 1", "1e3", "٣", 1.5, True, [], "9" * 5000):
            self.assertRaises(RegistryError, fields(port=value).port)

    def test_service(self) -> None:
        """Names with version and group are taken as they are."""
        for name in ("com.x.Svc:1.0", "com.x.Svc:1.0:group@DEFAULT", "é", "a" * MAX_NAME):
            self.assertEqual(fields(serviceName=name).service(), name)

    def test_wrongService(self) -> None:
        """Names that would spoil logs and statistics are refused."""
        for name in (None, "", "a\nb", "a\0", "\ud800", "a" * (MAX_NAME + 1)):
            self.assertRaises(RegistryError, fields(serviceName=name).service)

    @given(
        st.binary(max_size=100)
        | st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ).map(lambda value: json.dumps(value).encode())
    )
    def test_anything(self, octets: bytes) -> None:
        """Whatever a body is, it is read or refused."""
        try:
            found = Fields(octets)
            found.port()
            found.service()
        except (ValueError, RegistryError):
            return
        self.assertTrue(found.service())
