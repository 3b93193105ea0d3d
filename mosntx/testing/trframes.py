"""Frames of TR, made octet by octet and apart from the codecs that they test."""

from __future__ import annotations

#: What SOFARPC names as the class of its messages, and TR of its heartbeats.
REQUEST_CLASS = b"com.alipay.sofa.rpc.core.request.SofaRequest"
RESPONSE_CLASS = b"com.alipay.sofa.rpc.core.response.SofaResponse"
HEARTBEAT_CLASS = b"com.taobao.remoting.impl.ConnectionHeartBeat"
SERVICE = b"com.example.Greeter:1.0"

_REQUEST = b"com.taobao.remoting.impl.ConnectionRequest"
_RESPONSE = b"com.taobao.remoting.impl.ConnectionResponse"

#: Forms of a long in Hessian 2: octets -> lowest and highest value, and what the first of them is
#: counted from; none for forms with a tag.
LONG_FORMS: dict[int, tuple[int, int, int]] = {
    1: (-8, 15, 0xE0),
    2: (-(1 << 11), (1 << 11) - 1, 0xF800),
    3: (-(1 << 18), (1 << 18) - 1, 0x3C0000),
    5: (-(1 << 31), (1 << 31) - 1, 0),
    9: (-(1 << 63), (1 << 63) - 1, 0),
}


def hessianLong(value: int, size: int = 0, final: bool = False) -> bytes:
    """Return a long.

    :param size: octets of it; 0 for as few as there can be.
    :param final: in the published grammar of Hessian 2.
    """
    for octets, (lowest, highest, base) in LONG_FORMS.items():
        if lowest <= value <= highest and size in (0, octets):
            if octets < 5:
                return (base + value).to_bytes(octets, "big")
            tag = b"L" if octets == 9 else b"\x59" if final else b"w"
            return tag + value.to_bytes(octets - 1, "big", signed=True)
    raise ValueError(f"{value} has no form of {size} octets")


def hessianText(text: bytes | None) -> bytes:
    """Return a string of ASCII characters, or null."""
    if text is None:
        return b"N"
    if len(text) < 32:
        return bytes([len(text)]) + text
    return b"S" + len(text).to_bytes(2, "big") + text


def hessianObject(number: int, name: bytes, *fields: tuple[bytes, bytes]) -> bytes:
    """Return an object behind the definition of its class, in the draft's grammar.

    :param number: of the definition in its stream.
    :param fields: names and octets of the values.
    """
    octets = b"O" + _int(len(name)) + name + _int(len(fields))
    octets += b"".join(hessianText(field) for field, _ in fields)
    return octets + b"o" + _int(number) + b"".join(value for _, value in fields)


def finalObject(
    number: int, name: bytes, *fields: tuple[bytes, bytes], short: bool = True
) -> bytes:
    """Return an object as `hessianObject`, in the published grammar.

    :param short: the number of the class is in the tag.
    """
    octets = b"C" + hessianText(name) + _int(len(fields))
    octets += b"".join(hessianText(field) for field, _ in fields)
    octets += bytes([0x60 + number]) if short else b"O" + _int(number)
    return octets + b"".join(value for _, value in fields)


def _int(value: int) -> bytes:
    if value < 48:
        return bytes([0x90 + value])
    return bytes([0xC8 + (value >> 8), value & 0xFF])


def trFrame(
    flag: int,
    connection: bytes,
    className: bytes,
    content: bytes,
    *,
    serialization: int = 4,
    direction: int = 0,
    lengths: tuple[int, int, int] | None = None,
) -> bytes:
    """Return any frame.

    :param flag: 0 request, 1 response.
    :param lengths: of connection object, class name and content, when they are to lie.
    """
    sizes = lengths or (len(connection), len(className), len(content))
    octets = bytes([13, flag, serialization, direction, 0])
    octets += sizes[0].to_bytes(4, "big") + bytes([sizes[1]]) + sizes[2].to_bytes(4, "big")
    return octets + connection + className + content


def connectionRequest(identifier: bytes) -> bytes:
    """Return a connection object.

    :param identifier: the octets of the id.
    """
    fields = ((b"id", identifier), (b"this$0", b"J\0"))
    context = hessianObject(1, _REQUEST + b"$RequestContext", *fields)
    return hessianObject(0, _REQUEST, (b"ctx", context))


def connectionResponse(
    identifier: bytes, result: int = 0, text: bytes | None = None, host: bytes | None = None
) -> bytes:
    """Return a connection object.

    :param identifier: the octets of the id.
    :param result: less than 48.
    """
    fields = ((b"id", identifier), (b"this$0", b"J\0"))
    return hessianObject(
        0,
        _RESPONSE,
        (b"host", hessianText(host)),
        (b"result", _int(result)),
        (b"errorMsg", hessianText(text)),
        (b"errorStack", b"N"),
        (b"ctx", hessianObject(1, _RESPONSE + b"$ResponseContext", *fields)),
    )


def sofaRequest(service: bytes | None, method: bytes | None, arguments: bytes = b"") -> bytes:
    """Return a SofaRequest and the octets of its arguments."""
    return (
        hessianObject(
            0,
            REQUEST_CLASS,
            (b"targetAppName", hessianText(b"app")),
            (b"methodName", hessianText(method)),
            (b"targetServiceUniqueName", hessianText(service)),
            (b"requestProps", b"N"),
            (b"methodArgSigs", b"N"),
        )
        + arguments
    )


def sofaResponse(text: bytes | None = None, answer: bytes = b"N") -> bytes:
    """Return a SofaResponse.

    :param text: what went wrong.
    :param answer: octets of what was answered.
    """
    return hessianObject(
        0,
        RESPONSE_CLASS,
        (b"isError", b"F" if text is None else b"T"),
        (b"errorMsg", hessianText(text)),
        (b"appResponse", answer),
        (b"responseProps", b"N"),
    )


def trRequest(
    requestId: int = 1,
    arguments: bytes = b"",
    *,
    service: bytes | None = SERVICE,
    method: bytes | None = b"greet",
    oneway: bool = False,
    size: int = 0,
) -> bytes:
    """Return a request.

    :param arguments: their octets.
    :param size: octets of the id; 0 for as few as there can be.
    """
    return trFrame(
        0,
        connectionRequest(hessianLong(requestId, size)),
        REQUEST_CLASS,
        sofaRequest(service, method, arguments),
        direction=1 if oneway else 2,
    )


def trResponse(
    requestId: int = 1,
    answer: bytes = b"N",
    *,
    result: int = 0,
    text: bytes | None = None,
    size: int = 0,
) -> bytes:
    """Return a response.

    :param answer: octets of what was answered.
    :param text: what went wrong.
    :param size: octets of the id; 0 for as few as there can be.
    """
    connection = connectionResponse(hessianLong(requestId, size), result, text)
    return trFrame(1, connection, RESPONSE_CLASS, sofaResponse(text, answer))


def trHeartbeat(requestId: int = 1, content: bytes = b"") -> bytes:
    """Return a heartbeat. Its shape is inferred: nobody has seen one."""
    connection = connectionRequest(hessianLong(requestId))
    return trFrame(0, connection, HEARTBEAT_CLASS, content, direction=2)


def trHeartbeatAck(requestId: int = 1, result: int = 0, content: bytes = b"") -> bytes:
    """Return an acknowledgement of a heartbeat. Its shape is inferred, too."""
    connection = connectionResponse(hessianLong(requestId), result)
    return trFrame(1, connection, HEARTBEAT_CLASS, content)
