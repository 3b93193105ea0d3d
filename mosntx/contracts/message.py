"""A message in three parts.

Head, data and trailers, shared by all protocols and filters (capabilities P1, S5).

Data is plain ``bytes``; trailers are an `IHeaders`. Only heads have shapes of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Attribute, Interface

#: What a CONNECT request has for `IRequestHead`'s ``upgrade``: a tunnel of any octets.
CONNECT_TUNNEL = b"connect"

#: One header field as it stands on the wire: name and value.
Pair = tuple[bytes, bytes]


def accepts(upgrade: bytes, status: int) -> bool:
    """Say whether a response with ``status`` accepts the offer ``upgrade`` of `IRequestHead`."""
    return 200 <= status < 300 if upgrade == CONNECT_TUNNEL else status == 101


class IHeaders(Interface):
    """An ordered multi-map of header fields; names and values are ``bytes``.

    HTTP's names are compared without regard to case, names of RPC protocols as they are. Decoding
    happens at first use. Values never contain CR, LF or
    NUL: whoever adds one raises.
    """

    changed = Attribute(
        "``bool``: a method below has altered the fields since they were read, so octets kept from"
        " the wire no longer hold"
    )

    def get(name: bytes, default: bytes | None = None) -> bytes | None:
        """Return the first value of ``name``, or ``default``.

        HTTP names in lower case are found fastest.
        """

    def getAll(name: bytes) -> list[bytes]:
        """Return every value of ``name`` in wire order; empty when absent."""

    def set(name: bytes, value: bytes) -> None:
        """Give ``name`` exactly one value, at the place of its first field or at the end.

        :raises ValueError: when the name is no token or the value holds CR, LF or NUL.
        """

    def add(name: bytes, value: bytes) -> None:
        """Append one more field.

        :raises ValueError: as `set`.
        """

    def remove(name: bytes) -> None:
        """Remove every field called ``name``; nothing happens when there is none."""

    def items() -> Sequence[Pair]:
        """Return the fields in wire order with the spelling of the wire.

        The caller does not alter the sequence.
        """

    def copy() -> IHeaders:
        """Return an independent copy."""


class IRequestHead(Interface):
    """What a request says before its body. Protocol frames provide it themselves.

    Optional method ``field(name: bytes) -> bytes | None``: the same as ``headers.get(name)``, for
    heads without a path whose headers are not decoded yet: what is asked of every call and nearly
    never there should cost little.

    Optional attribute, ``b''`` when absent: ``upgrade: bytes``, the protocol, in lower case, that
    the client asks to change to (``websocket``), or `CONNECT_TUNNEL`. Such a head comes without
    ``end``. A response that accepts (`accepts`) is final then and makes the stream a tunnel: from
    there on data are octets of that protocol in both directions, and each direction ends for
    itself. Any other response is an ordinary one to a request without a body.
    """

    protocol = Attribute(
        "``str``: configuration name of the protocol that made this head, for example ``Http1``"
    )
    headers = Attribute("`IHeaders`")
    method = Attribute(
        "``bytes``: HTTP method, or the RPC method; ``b''`` when the protocol has none"
    )
    path = Attribute(
        "``bytes``: HTTP request target in origin form, path and query, octets as sent by the "
        "client; ``b''`` for RPC. Assignable"
    )
    authority = Attribute(
        "``bytes``: host and port asked for, lower case; ``b''`` for RPC. Assignable; the encoder "
        "writes Host or :authority from it"
    )
    scheme = Attribute("``bytes``: ``http`` or ``https``; ``b''`` for RPC")
    service = Attribute(
        "``bytes``: RPC service; for HTTP the value of the ``service`` header, ``b''`` without one"
    )
    oneway = Attribute("``bool``: no response is expected")
    timeout = Attribute(
        "``float | None``: seconds the sender allows for the answer, when the frame says so"
    )
    replayable = Attribute(
        "``bool``: sending it twice does no harm (RFC 9110 9.2.2 idempotent methods; RPC: never)"
    )


class IResponseHead(Interface):
    """What a response says before its body."""

    headers = Attribute("`IHeaders`")
    status = Attribute(
        "``int``: HTTP status, for RPC the mapped one (used for retries, logs and counters)"
    )


class IWholeRequest(IRequestHead):
    """A request that arrived in one piece, with `mosntx.contracts.codec.MESSAGE`.

    An encoder that is given such a head with ``end`` writes the content with it.
    """

    content = Attribute("``bytes``: the whole body")
    contentLength = Attribute("``int``: octets of ``content``; costs less than asking for that")


class IWholeResponse(IResponseHead):
    """A response that arrived in one piece, see `IWholeRequest`."""

    content = Attribute("``bytes``: the whole body")
    contentLength = Attribute("``int``: octets of ``content``")


class ILocalReply(Interface):
    """A complete answer that this process makes itself (MOSN: hijack)."""

    head = Attribute("`IResponseHead`")
    body = Attribute("``bytes``")
