"""Tests of `mosntx.config.schema.top`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Admin, AdminAddress, Config, Server, SocketAddress


class ConfigTests(SynchronousTestCase):
    """Values that follow from others."""

    def test_mode(self) -> None:
        """Files, files and xDS, xDS alone."""
        server = Server()
        self.assertEqual(Config(servers=(server,)).mode, "file")
        self.assertEqual(Config(servers=(server,), dynamic_resources={}).mode, "file")
        both = Config(servers=(server,), dynamic_resources={}, static_resources={})
        self.assertEqual(both.mode, "mix")
        self.assertIs(both.server, server)
        alone = Config(
            servers=(server,), dynamic_resources={}, static_resources={}, invented_server=True
        )
        self.assertEqual(alone.mode, "xds")

    def test_admin(self) -> None:
        """Host and port without the nesting."""
        place = SocketAddress(address="::1", port_value=5)
        admin = Admin(address=AdminAddress(socket_address=place))
        self.assertEqual((admin.host, admin.port), ("::1", 5))
