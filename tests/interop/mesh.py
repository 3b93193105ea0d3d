"""Two sidecars between a client and a server, as in a mesh: client → near → far → server."""

from __future__ import annotations

import signal

from tests.interop.peers import V1
from tests.system.daemon import Daemon, freePort

#: One listener in front of one cluster. Every service is routed; heartbeats go upstream each
#: second.
CONFIG = """\
servers:
  - default_log_path: stdout
    listeners:
      - name: {name}
        address: "127.0.0.1:{port}"
        bind_port: true
        filter_chains:
          - filters:
              - type: proxy
                config: {{downstream_protocol: {protocol}, router_config_name: router}}
        stream_filters: [{filters}]
    routers:
      - router_config_name: router
        virtual_hosts:
          - name: all
            domains: ["*"]
            routers:
              - match: {{headers: [{{name: service, value: ".*"}}]}}
                route: {{cluster_name: {cluster}}}
cluster_manager:
  clusters:
    - name: {cluster}
      type: SIMPLE
      lb_type: LB_ROUNDROBIN
      hosts: [{{address: "127.0.0.1:{upstream}"}}]
      keepalive: {{interval: 1s, timeout: 1s}}
      {more}
"""
#: Frames of both versions pass on one connection; this is the one that the listener is named after.
PROTOCOLS = {V1: "bolt"}


class Mesh:
    """Both sidecars.

    :param upstream: the port of the server.
    :param version: of Bolt that the client speaks.
    :param nearFilters: stream filters of the near sidecar, in YAML's flow style.
    :param nearCluster: further lines of the near sidecar's cluster, which is called ``far``.
    """

    def __init__(
        self, upstream: int, version: str = V1, nearFilters: str = "", nearCluster: str = ""
    ) -> None:
        self.port, self._farPort = freePort(), freePort()
        protocol = PROTOCOLS.get(version, "boltv2")
        self._farConfig = CONFIG.format(
            name="ingress",
            port=self._farPort,
            protocol=protocol,
            cluster="application",
            upstream=upstream,
            filters="",
            more="",
        )
        nearConfig = CONFIG.format(
            name="egress",
            port=self.port,
            protocol=protocol,
            cluster="far",
            upstream=self._farPort,
            filters=nearFilters,
            more=nearCluster,
        )
        self._nearConfig = nearConfig
        self.far: Daemon | None = None
        self.near: Daemon | None = None
        try:
            self.startFar()
            self.startNear()
        except BaseException:
            self.stop()
            raise

    def startFar(self) -> None:
        """Start the sidecar of the server."""
        self.far = Daemon(self._farConfig, self._farPort)

    def startNear(self) -> None:
        """Start the sidecar of the client."""
        self.near = Daemon(self._nearConfig, self.port)

    def killFar(self) -> None:
        """Kill the sidecar of the server: it has no time to say anything."""
        far, self.far = self.far, None
        if far is not None:
            far.stop(signal.SIGKILL)

    def killNear(self) -> None:
        """Kill the sidecar of the client."""
        near, self.near = self.near, None
        if near is not None:
            near.stop(signal.SIGKILL)

    def stop(self) -> None:
        """End both."""
        self.killNear()
        self.killFar()
