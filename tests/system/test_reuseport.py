"""Two daemons on one TCP port, by ``reuseport``."""

from __future__ import annotations

import http.client
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, freePort

#: Each daemon answers by itself, with its own name.
CONFIG = """\
servers:
  - default_log_path: stdout
    listeners:
      - name: front
        address: "127.0.0.1:{port}"
        bind_port: true
        reuseport: true
        filter_chains: [{{filters: [
          {{type: proxy, config: {{downstream_protocol: Http1, router_config_name: r}}}}]}}]
    routers:
      - router_config_name: r
        virtual_hosts:
          - {{name: all, domains: ["*"], routers: [
              {{match: {{prefix: /}}, direct_response: {{status: 200, body: {name}}}}}]}}
cluster_manager: {{clusters: []}}
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
"""


class ReuseportTests(SynchronousTestCase):
    """Who gets which connection."""

    def daemon(self, name: str, port: int) -> Daemon:
        """Start a daemon that answers with its name."""
        admin = freePort()  # the common port would say nothing about the second one
        daemon = Daemon(CONFIG.format(name=name, port=port, admin=admin), admin)
        self.addCleanup(lambda: daemon.process.returncode is None and daemon.stop())
        return daemon

    def ask(self, port: int, times: int) -> Counter[str]:
        """Return how many of new connections were answered by whom."""
        said: Counter[str] = Counter()
        for _ in range(times):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("GET", "/")
            said[client.getresponse().read().decode()] += 1
            client.close()
        return said

    def test_two(self) -> None:
        """Both serve new connections; when one is gone the other serves them all."""
        port = freePort()
        first, _ = self.daemon("first", port), self.daemon("second", port)
        said = self.ask(port, 64)  # all of them at one daemon: once in 2**63 runs
        self.assertEqual(set(said), {"first", "second"})
        self.assertEqual(first.stop(), 0)
        self.assertEqual(self.ask(port, 16), Counter(second=16))
