"""One of three hosts dies and comes back: what clients notice."""

import sys

from mosntx.testing.simulation import SimulatedHost, Simulation

HOSTS = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]

CONFIG = """
servers:
  - listeners:
      - name: front
        address: 127.0.0.1:2045
        bind_port: true
        filter_chains:
          - filters:
              - type: proxy
                config: {downstream_protocol: Http1, router_config_name: r}
    routers:
      - router_config_name: r
        virtual_hosts:
          - domains: ["*"]
            routers:
              - match: {prefix: /}
                route: {cluster_name: app, retry_policy: {retry_on: true, num_retries: 2}}
cluster_manager:
  clusters:
    - name: app
      outlier_detection: {base_ejection_time: 5s}
      hosts: [{address: 10.0.0.1:80}, {address: 10.0.0.2:80}, {address: 10.0.0.3:80}]
"""


def crash() -> Simulation:
    """Return the simulation after a minute."""
    simulation = Simulation(CONFIG, map(SimulatedHost, HOSTS), "front", seed=4)
    simulation.at(10.0, lambda: simulation.crash("10.0.0.1:80"))
    simulation.at(30.0, lambda: simulation.recover("10.0.0.1:80"))
    simulation.load(seconds=60.0, perSecond=20)
    simulation.close()
    return simulation


if __name__ == "__main__":
    done = crash()
    sys.stdout.write(f"{dict(done.outcomes)}\n")
    for host in done.hosts.values():
        requests = [host.between(second, second + 5) for second in range(0, 60, 5)]
        sys.stdout.write(f"{host.address} {requests}\n")
