"""The upstream of every candidate: a server that answers any request with the same body."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import attrs

from bench.drivers.bolt import programOf
from bench.place import BOLT, H2C, HTTP1
from bench.process import Nursery, Ports, ProcessError
from bench.programs import findProgram

#: The longest body nginx's `return` takes (a configuration token has 4096 octets at most).
RETURN_LIMIT = 4000
#: A number of requests per connection that no run reaches; nginx's own default is 1000.
UNLIMITED = 1_000_000_000
LOCAL = ("127.0.0.1",)

_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    default_type text/plain;
    server_tokens off;
    tcp_nodelay on;
    sendfile on;
    open_file_cache max=8 inactive=1h;
    keepalive_requests {unlimited};
    keepalive_timeout 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{servers}}}
"""

_LISTEN = "        listen {host}:{port}{flag} backlog=16384;"
_SERVER = """\
    server {{
{listens}
        location / {{ {answer} }}
    }}
"""


@attrs.frozen
class Upstream:
    """A running upstream.

    :param kind: ``nginx`` or ``own``.
    :param ports: protocol to port.
    :param body: what it answers.
    """

    kind: str
    ports: dict[str, int]
    body: bytes

    def serverOf(self, protocol: str) -> str:
        """Return what answers a protocol: Bolt is always answered by our own server."""
        return "own" if protocol == BOLT else self.kind


def makeBody(size: int) -> bytes:
    """Return `size` octets that need no quoting and do not repeat with a power of two."""
    return (b"mosntx-bench-" * (size // 13 + 1))[:size]


def nginxConfig(
    ports: dict[str, int], body: bytes, folder: Path, hosts: Sequence[str] = LOCAL
) -> str:
    """Return an nginx configuration with one server per protocol, all with the same answer.

    :param hosts: the addresses that each of them listens at.
    """
    if len(body) <= RETURN_LIMIT:
        answer = f'return 200 "{body.decode()}";'
    else:
        answer = f"root {folder}; rewrite ^ /body.txt break;"
    flags = {HTTP1: "", H2C: " http2"}
    servers = "".join(
        _SERVER.format(
            listens="\n".join(
                _LISTEN.format(host=host, port=port, flag=flags[protocol]) for host in hosts
            ),
            answer=answer,
        )
        for protocol, port in ports.items()
    )
    return _NGINX.format(folder=folder, servers=servers, unlimited=UNLIMITED)


def startUpstream(
    nursery: Nursery,
    wanted: str,
    body: bytes,
    folder: Path,
    core: int | None,
    ports: Ports,
    hosts: Sequence[str] = LOCAL,
) -> Upstream:
    """Start the upstream and wait until it accepts connections.

    :param wanted: ``nginx``, ``own`` (HTTP/1.1 only), or ``auto``: nginx when it is installed.
    :param hosts: the addresses that nginx listens at.
    :raises ProcessError: when it does not start.
    """
    nginx = findProgram("nginx")
    kind = ("nginx" if nginx else "own") if wanted == "auto" else wanted
    (folder / "body.txt").write_bytes(body)
    if kind == "own":
        chosen = {HTTP1: ports.take()}
        server = Path(__file__).with_name("fixed_server.py")
        command = [sys.executable, str(server), str(chosen[HTTP1]), str(folder / "body.txt")]
    elif nginx is None:
        raise ProcessError("the upstream nginx is not installed: apt-get install nginx")
    else:
        chosen = {HTTP1: ports.take(), H2C: ports.take()}
        config = folder / "upstream.conf"
        config.write_text(nginxConfig(chosen, body, folder, hosts))
        command = [nginx, "-p", str(folder), "-e", "stderr", "-c", str(config)]
    child = nursery.start("upstream", command, folder, core)
    for port in chosen.values():
        child.waitForPort(port)
    chosen[BOLT] = ports.take()
    command = [*programOf("bench.upstream_bolt"), str(chosen[BOLT])]
    nursery.start("upstream-bolt", command, folder, core).waitForPort(chosen[BOLT])
    return Upstream(kind, chosen, body)
