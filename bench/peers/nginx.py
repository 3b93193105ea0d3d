"""nginx with one worker, connections to the upstream kept alive."""

from __future__ import annotations

from bench.peers.base import Peer
from bench.place import H2C, HTTP1, Place

_CONFIG = """\
daemon off;
# One process: worker and first process are the same.
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream application {{
        server {upstream};
        keepalive 1024;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{port}{flag} backlog=16384;
        location / {{
            proxy_pass http://application;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 1h;
            # A body that does not fit is passed on, not written to a file first.
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"""


def config(place: Place) -> str:
    """Return the configuration for one place."""
    return _CONFIG.format(
        folder=place.folder,
        port=place.port,
        flag=" http2" if place.downstream == H2C else "",
        upstream=place.upstreamAddress,
        # Each downstream connection may need an upstream one.
        connections=2 * place.connections + 512,
    )


class Nginx(Peer):
    """nginx as Debian ships it."""

    name = "nginx"
    program = "nginx"
    install = "apt-get install nginx-light"
    front = frozenset({HTTP1, H2C})

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        path = place.write("nginx.conf", config(place))
        return [
            self.executable() or self.program,
            "-p",
            str(place.folder),
            "-e",
            "stderr",
            "-c",
            path,
        ]

    def version(self) -> str:
        """See `Peer.version`."""
        return self._askVersion("-v")


PEER = Nginx
