"""Sidecars for HTTP/2: a listener for each hop, and the engine that reads and writes frames."""

from __future__ import annotations

import importlib.util
import sys
from unittest import SkipTest

import attrs

from tests.system.daemon import Daemon, freePort

#: What speaks HTTP/2: the library `h2` because `ngh2` is not there, `h2` by configuration, `ngh2`.
WITHOUT_NGH2, H2, NGH2 = "without ngh2", "h2", "ngh2"
#: ``twistd`` in an environment where ngh2 cannot be imported.
_LAUNCHER = "import sys; sys.modules['ngh2'] = None; from twisted.scripts.twistd import run; run()"

_LISTENER = """\
      - {{name: {name}, address: "127.0.0.1:{port}", bind_port: true, filter_chains: [{{filters: [
          {{type: proxy, config: {{downstream_protocol: {speaks}, router_config_name: {name}
            {options}}}}}]}}]}}
"""
_ROUTER = """\
      - {{router_config_name: {name}, virtual_hosts: [{{name: all, domains: ["*"], routers: [
          {{match: {{prefix: "{prefix}"}}, route: {{cluster_name: {name}{onward}}}}}]}}]}}
"""
_CLUSTER = """\
    - {{name: {name}, type: SIMPLE, lb_type: LB_ROUNDROBIN,
        hosts: [{{address: "127.0.0.1:{upstream}"}}]}}
"""


@attrs.frozen
class Hop:
    """A listener in front of a cluster.

    :param name: of both.
    :param speaks: protocol of its clients.
    :param onward: protocol of its upstream; the same when empty.
    :param prefix: paths that it routes.
    :param route: further settings of its route, ``name: value``.
    """

    name: str
    upstream: int
    speaks: str = "Http2"
    onward: str = ""
    prefix: str = "/"
    route: str = ""
    port: int = attrs.field(factory=freePort)


def startSidecar(engine: str, *hops: Hop, admin: int = 0) -> Daemon:
    """Start a daemon with these listeners.

    :param engine: what speaks HTTP/2.
    :param admin: port of the admin API; a free one when 0.
    :raises SkipTest: when the engine is not installed.
    """
    if engine == NGH2 and importlib.util.find_spec("ngh2") is None:
        raise SkipTest("ngh2 is not installed: pip install mosntx[fast]")
    admin = admin or freePort()
    launcher = None
    if engine == WITHOUT_NGH2:
        launcher = [sys.executable, "-c", _LAUNCHER, "-n", "--pidfile", "", "mosn", "--config"]
    # The admin port comes up last, and a connection to it is not counted as a client's.
    return Daemon(_config(engine, hops, admin), admin, launcher)


def _config(engine: str, hops: tuple[Hop, ...], admin: int) -> str:
    lines = ["servers:", "  - default_log_path: stdout", "    graceful_timeout: 5s"]
    lines.append("    listeners:")
    for hop in hops:
        options = ""
        if engine != WITHOUT_NGH2 and hop.speaks != "Http1":
            options = f", extend_config: {{Http2: {{http2_engine: {engine}}}}}"
        lines.append(
            _LISTENER.format(name=hop.name, port=hop.port, speaks=hop.speaks, options=options)
        )
    lines.append("    routers:")
    for hop in hops:
        onward = f", upstream_protocol: {hop.onward}" if hop.onward else ""
        onward += f", {hop.route}" if hop.route else ""
        lines.append(_ROUTER.format(name=hop.name, prefix=hop.prefix, onward=onward))
    lines += ["cluster_manager:", "  clusters:"]
    lines += [_CLUSTER.format(name=hop.name, upstream=hop.upstream) for hop in hops]
    address = f"socket_address: {{address: 127.0.0.1, port_value: {admin}}}"
    lines.append(f"admin: {{address: {{{address}}}}}\n")
    return "\n".join(lines)
