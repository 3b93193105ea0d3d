"""Limits of HTTP/2, with their reasons."""

from __future__ import annotations

import attrs

from mosntx.protocol.http2.codes import MAX_31
from mosntx.protocol.http2.guard import FloodLimits


@attrs.frozen
class Http2Limits:
    """What one connection may ask for, and what upstreams may answer.

    :param max_concurrent_streams: streams that the peer may have open, and most that we open on one
        connection whatever its peer allows; more are refused (REFUSED_STREAM). 100 as RFC 9113
        6.5.2 recommends at least and Envoy's edge practice advises.
    :param stream_window: octets of one stream that may be on their way or wait here unread.
    :param connection_window: the same for all streams of a connection. Never less than
        ``max_concurrent_streams`` times ``stream_window``: so a stream whose reader is slow cannot
        stop the others.
    :param max_header_list_size: octets of a decoded field list, 32 more for each field (RFC 9113
        6.5.2); more is refused (HPACK bomb, CVE-2016-6581).
    :param max_headers: number of fields of a message.
    :param header_table_size: octets of the HPACK tables (RFC 7541 4.2).
    :param max_body: octets of a request body; more: 413; 0 for no limit.
    :param max_requests_per_connection: after so many the client is asked to leave; 0 for no limit.
    :param max_informational: interim responses before one final response.
    :param enable_push: take pushed responses from upstreams, push to clients (row M3).
    :param max_pushes: promised responses of one connection that are not complete, from an upstream
        and to a client; more are refused. As many as streams, for each is one.
    :param max_pushes_per_request: the same for one request, however many of them are complete. An
        upstream that pushes more than a page needs takes the others' share.
    :param enable_connect_protocol: offer extended CONNECT to clients (RFC 8441).
    :param send_batch: octets of data that leave in one go; then whoever is more urgent is asked
        again (RFC 9218). As much as Twisted buffers before it calls a transport full.
    :param settings_timeout: seconds for the preface and the first SETTINGS; 0.0 for no limit. They
        are the first octets that a client sends: who sends nothing only holds a connection.
    :param header_timeout: seconds for a field block, from its first frame to its end; 0.0 for no
        limit. A block that has begun stops all other streams (Slowloris).
    :param window_timeout: seconds without any progress in which data may wait for a window, of its
        stream (which is reset then) or of the connection (which ends); 0.0 for no limit. Else a
        client makes us keep what it never takes (CVE-2019-9517, CVE-2016-1546). nghttpx and nginx
        wait for writes as long.
    :param floods: rates of frames, see `FloodLimits`.
    """

    max_concurrent_streams: int = 100
    stream_window: int = 65536
    connection_window: int = 1024 * 1024
    max_header_list_size: int = 65536
    max_headers: int = 100
    header_table_size: int = 4096
    max_body: int = 0
    max_requests_per_connection: int = 0
    max_informational: int = 16
    enable_push: bool = True
    max_pushes: int = 100
    max_pushes_per_request: int = 32
    enable_connect_protocol: bool = True
    send_batch: int = 65536
    settings_timeout: float = 10.0
    header_timeout: float = 10.0
    window_timeout: float = 60.0
    floods: FloodLimits = attrs.field(factory=FloodLimits)

    @property
    def engineListSize(self) -> int:
        """Octets of a field list at which decoding stops, which ends the connection.

        Twice as much as is allowed: a client that is a little above it loses its request only.
        """
        return 2 * self.max_header_list_size

    @property
    def wholeWindow(self) -> int:
        """The connection's window in octets."""
        least = self.max_concurrent_streams * self.stream_window
        return min(MAX_31, max(self.connection_window, least))
