"""Asks a candidate one question before it is timed: only right answers are worth measuring."""

from __future__ import annotations

import http.client
import socket

from bench.drivers import bolt_frames
from bench.place import BOLT, H2C, HTTP1

#: Seconds the answer may take.
TIMEOUT = 10.0
_READ_SIZE = 65536


class AnswerError(Exception):
    """A candidate answers, but not what the upstream said."""


def verify(protocol: str, port: int, body: bytes) -> None:
    """Make one request to 127.0.0.1:`port`.

    :raises AnswerError: when the status is not 200, the body is another, or none comes.
    """
    try:
        if protocol == BOLT:
            status, received = _askBolt(port, body)
        else:
            status, received = {HTTP1: _askHttp1, H2C: _askH2c}[protocol](port)
    except (OSError, http.client.HTTPException, bolt_frames.FrameError) as error:
        raise AnswerError(f"no {protocol} answer on port {port}: {error!r}") from error
    judge(status, received, body)


def judge(status: int, received: bytes, body: bytes) -> None:
    """Compare an answer with what it has to be.

    :raises AnswerError: when they differ.
    """
    if status != 200:
        raise AnswerError(f"status {status} instead of 200; body {received[:80]!r}")
    if received != body:
        raise AnswerError(
            f"body of {len(received)} octets {received[:80]!r} instead of {len(body)} octets"
        )


def _askHttp1(port: int) -> tuple[int, bytes]:
    """Return status and body of ``GET /`` by HTTP/1.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _askBolt(port: int, body: bytes) -> tuple[int, bytes]:
    """Return status and content of a Bolt call with `body`; success counts as 200."""
    number = 77
    ids = bolt_frames.packIds(range(number, number + 1))
    octets = b""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(bolt_frames.numbered(bolt_frames.request(body), ids))
        while not (length := bolt_frames.lengthOf(octets)) or len(octets) < length:
            received = connection.recv(_READ_SIZE)
            if not received:
                raise ConnectionError("closed before the answer was complete")
            octets += received
    frame = bolt_frames.parse(octets)
    if frame.number != number:
        raise bolt_frames.FrameError(f"the answer has id {frame.number}, not {number}")
    return frame.status or 200, frame.content


def _askH2c(port: int) -> tuple[int, bytes]:
    """Return status and body of ``GET /`` by HTTP/2 with prior knowledge (RFC 9113 3.3)."""
    # A dependency of mosntx; a bench of HTTP/1.1 alone runs without it.
    import h2.connection
    import h2.events

    engine = h2.connection.H2Connection()
    engine.initiate_connection()
    fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "127.0.0.1")]
    engine.send_headers(1, fields, end_stream=True)
    status, body, ended = 0, b"", False
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        while not ended:
            connection.sendall(engine.data_to_send())
            octets = connection.recv(_READ_SIZE)
            if not octets:
                raise ConnectionError("closed before the answer was complete")
            for event in engine.receive_data(octets):
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers or [])[b":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data or b""
                    engine.acknowledge_received_data(event.flow_controlled_length or 0, 1)
                elif isinstance(event, h2.events.StreamEnded):
                    ended = True
    return status, body
