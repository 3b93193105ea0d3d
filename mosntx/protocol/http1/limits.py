"""Limits of HTTP/1, with their reasons."""

from __future__ import annotations

import attrs


@attrs.frozen
class Http1Limits:
    """What one connection may ask for, and what upstreams may answer.

    :param max_request_line: octets of a request line or status line without its CRLF; more: 414.
        8 KiB as in nginx and MOSN.
    :param max_header_size: octets of a field block with all its line ends; more: 431. With the line
        it bounds what an unfinished head can hold (attack case 26).
    :param max_headers: number of fields; more: 431.
    :param header_timeout: seconds from the first octet of a request head to its last; more: 408
        (slowloris, attack case 27).
    :param max_body: octets of a request body; more: 413; 0 for no limit.
    :param max_backlog: octets of pipelined requests to keep while one is served. The codec only
        counts (`IServerCodec.backlog`); the connection stops reading above it (CVE-2023-46137).
    :param max_requests_per_connection: after so many the connection is closed; 0 for no limit.
    :param max_chunk_line: octets of a chunk-size line, extensions included (CVE-2020-8659).
    :param max_chunk_overhead: octets of chunk framing that a body may have in any case; beyond it
        they must not be more than four times the octets of the body (attack case 15).
    :param max_trailer_size: octets of a trailer block with all its line ends.
    :param max_trailers: number of trailer fields.
    :param max_informational: interim responses before one final response.
    """

    max_request_line: int = 8192
    max_header_size: int = 32768
    max_headers: int = 100
    header_timeout: float = 10.0
    max_body: int = 0
    max_backlog: int = 65536
    max_requests_per_connection: int = 0
    max_chunk_line: int = 256
    max_chunk_overhead: int = 65536
    max_trailer_size: int = 8192
    max_trailers: int = 32
    max_informational: int = 16
