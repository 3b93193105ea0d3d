from __future__ import annotations

from require_key import RequireKeyFactory
from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.plugins import installedCatalog
from mosntx.testing.mesh import MemoryMesh

CONFIG = """
servers:
  - listeners:
      - name: front
        address: 127.0.0.1:2045
        bind_port: true
        stream_filters:
          - {type: require_key, config: {keys: [secret]}}
        filter_chains:
          - filters:
              - {type: proxy, config: {downstream_protocol: Http1, router_config_name: all}}
    routers:
      - router_config_name: all
        virtual_hosts:
          - {domains: ["*"], routers: [{match: {prefix: /}, direct_response: {status: 200}}]}
"""


class RequireKeyTests(SynchronousTestCase):
    """Who has a key, gets in."""

    def ask(self, fields: bytes) -> bytes:
        """Return the status line of the answer to a request with these fields."""
        catalog = installedCatalog().extended(streamFilters=[RequireKeyFactory()])
        client = MemoryMesh(CONFIG, catalog=catalog).client("front")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
        return client.take().partition(b"\r\n")[0]

    def test_withKey(self) -> None:
        """The right key passes."""
        self.assertEqual(self.ask(b"X-Api-Key: secret\r\n"), b"HTTP/1.1 200 OK")

    def test_withoutKey(self) -> None:
        """No key does not."""
        self.assertEqual(self.ask(b""), b"HTTP/1.1 401 Unauthorized")
