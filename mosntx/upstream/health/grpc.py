"""The health service of gRPC (grpc.health.v1.Health/Check; gRPC Health Checking Protocol).

Question and answer are one small message each, in a frame of gRPC over HTTP/2::

    +------------+-----------------+---------------------------------------+
    | 0: plain   | length, 4 octets| protobuf message                      |
    +------------+-----------------+---------------------------------------+
    HealthCheckRequest:  field 1 = name of the service (string), none = the whole server
    HealthCheckResponse: field 1 = status (enum), 1 = SERVING
"""

from __future__ import annotations

from typing import Any, Final

from twisted.internet.defer import Deferred
from zope.interface import implementer

from mosntx.config.schema import GrpcCheck
from mosntx.contracts.codec import DATA, HEAD, TRAILERS, IProtocol
from mosntx.contracts.net import IConnector
from mosntx.contracts.upstream import IHost
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead, validAuthority
from mosntx.upstream.health.asking import Asking, placeOf
from mosntx.upstream.health.probe import IProbe

PATH: Final = b"/grpc.health.v1.Health/Check"
SERVING: Final = 1
#: Octets of an answer that are kept: a status takes 7, and what a later version of the service may
#: add is not worth more.
MAX_ANSWER: Final = 1024

_SERVICE: Final = b"\x0a"  # field 1, length-delimited
_STATUS: Final = 1 << 3  # field 1, varint
#: Wire types of protobuf, and those that have a fixed size.
_VARINT, _DELIMITED = 0, 2
_FIXED: Final = {1: 8, 5: 4}
#: Octets of the longest varint.
_MAX_VARINT: Final = 10


@implementer(IProbe)
class GrpcProbe:
    """See `IProbe`. A service that is SERVING is well; whatever else comes is a bad answer."""

    __slots__ = ("_address", "_connector", "_head", "_message", "_protocol")

    def __init__(
        self,
        config: GrpcCheck,
        address: str,
        timeout: float,
        connector: IConnector,
        protocol: IProtocol,
    ) -> None:
        """Make the call ready.

        :param timeout: seconds for a check, which the server is told.
        :param protocol: HTTP/2.
        :raises ValueError: when the host cannot be asked: its address or the authority.
        """
        self._connector = connector
        self._protocol = protocol
        self._address, name = placeOf(address, config.port)
        self._message = frame(question(config.service_name))
        fields = [
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
            (b"grpc-timeout", b"%dm" % max(1, min(int(timeout * 1000), 99_999_999))),
            (b"user-agent", b"mosntx"),
        ]
        authority = (config.authority or name).encode("ascii").lower()
        if not validAuthority(authority):
            raise ValueError(f"grpc_check_config.authority {config.authority!r} names no host")
        self._head = Http2RequestHead(b"POST", PATH, authority, Headers(fields))
        protocol.clientCodec().requestHead(self._head, False)

    def check(self, host: IHost) -> Deferred[bool]:
        """See `IHealthChecker.check`."""
        asking = _GrpcAsking(self._connector, self._protocol, self._head, self._message)
        asking.connect(self._address)
        return asking.answer

    def close(self) -> None:
        """See `IProbe.close`: nothing is kept."""


class _GrpcAsking(Asking):
    """One check: a call with one message each way."""

    __slots__ = ("_body", "_head", "_message")

    def __init__(
        self, connector: IConnector, protocol: IProtocol, head: Http2RequestHead, message: bytes
    ) -> None:
        super().__init__(connector, protocol)
        self._head = head
        self._message = message
        self._body = b""

    def request(self, codec: Any) -> bytes:
        """See `Asking.request`."""
        number, octets = codec.requestHead(self._head, False)
        return octets + codec.requestData(number, self._message, True)  # type: ignore[no-any-return]

    def heard(self, kind: int, part: Any, end: bool) -> None:
        """See `Asking.heard`: without a status at the end it is no answer of gRPC."""
        if kind == HEAD:
            if end or part.status != 200:
                self.finish(False)
        elif kind == DATA:
            self._body += part
            if end or len(self._body) > MAX_ANSWER:
                self.finish(False)
        elif kind == TRAILERS:
            said = part.get(b"grpc-status") == b"0"
            self.finish(said and servingStatus(self._body) == SERVING, whole=True)


def question(service: str) -> bytes:
    """Return a ``HealthCheckRequest``.

    :param service: name of the service; empty = the whole server.
    """
    name = service.encode()
    return _SERVICE + _varint(len(name)) + name if name else b""


def frame(message: bytes) -> bytes:
    """Return a message as it stands in the body of a call, not compressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def servingStatus(body: bytes) -> int:
    """Return the status of the ``HealthCheckResponse`` in a body; -1 when there is none."""
    if len(body) < 5 or body[0] or int.from_bytes(body[1:5], "big") != len(body) - 5:
        return -1
    try:
        return _statusOf(body[5:])
    except (IndexError, ValueError):
        return -1


def _statusOf(message: bytes) -> int:
    """Read the fields of the message; the last status counts, 0 (UNKNOWN) without any.

    :raises ValueError: when it is no protobuf; so does ``IndexError``.
    """
    status = place = 0
    while place < len(message):
        tag, place = _readVarint(message, place)
        kind = tag & 7
        if kind == _VARINT:
            value, place = _readVarint(message, place)
            if tag == _STATUS:
                status = value
        elif kind == _DELIMITED:
            size, place = _readVarint(message, place)
            place += size
        else:
            place += _FIXED.get(kind, MAX_ANSWER)
    if place > len(message):
        raise ValueError("a field is longer than the message")
    return status


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _readVarint(message: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(_MAX_VARINT):
        octet = message[place + count]
        value |= (octet & 0x7F) << 7 * count
        if octet < 0x80:
            return value, place + count + 1
    raise ValueError("a number is too long")
