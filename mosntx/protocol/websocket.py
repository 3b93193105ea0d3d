"""The key of a WebSocket handshake (RFC 6455 4.1, 4.2.2).

HTTP/1.1 has it, HTTP/2 has not (RFC 8441 5): who stands between them makes it up on one side and
answers it on the other.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1

#: The only protocol that requests may change to.
WEBSOCKET = b"websocket"

#: Fields of the handshake in HTTP/1.1, in lower case.
KEY_FIELD = b"sec-websocket-key"
ACCEPT_FIELD = b"sec-websocket-accept"

#: Returns so many random octets, as ``os.urandom`` does.
Entropy = Callable[[int], bytes]

_KEY_SIZE = 16
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def newKey(entropy: Entropy) -> bytes:
    """Return a key that nobody can guess, so that a stored answer does not fit it."""
    return b64encode(entropy(_KEY_SIZE))


def acceptFor(key: bytes) -> bytes:
    """Return what a server that knows WebSocket says to ``key``."""
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
