"""HTTP status codes: their phrases and what they mean for framing (RFC 9110 15)."""

from __future__ import annotations

#: Reason phrases: RFC 9110 15, RFC 6585, and 499 and 509 as MOSN uses them.
PHRASES = {
    100: b"Continue",
    101: b"Switching Protocols",
    102: b"Processing",
    103: b"Early Hints",
    200: b"OK",
    201: b"Created",
    202: b"Accepted",
    203: b"Non-Authoritative Information",
    204: b"No Content",
    205: b"Reset Content",
    206: b"Partial Content",
    207: b"Multi-Status",
    208: b"Already Reported",
    226: b"IM Used",
    300: b"Multiple Choices",
    301: b"Moved Permanently",
    302: b"Found",
    303: b"See Other",
    304: b"Not Modified",
    305: b"Use Proxy",
    307: b"Temporary Redirect",
    308: b"Permanent Redirect",
    400: b"Bad Request",
    401: b"Unauthorized",
    402: b"Payment Required",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    406: b"Not Acceptable",
    407: b"Proxy Authentication Required",
    408: b"Request Timeout",
    409: b"Conflict",
    410: b"Gone",
    411: b"Length Required",
    412: b"Precondition Failed",
    413: b"Content Too Large",
    414: b"URI Too Long",
    415: b"Unsupported Media Type",
    416: b"Range Not Satisfiable",
    417: b"Expectation Failed",
    421: b"Misdirected Request",
    422: b"Unprocessable Content",
    423: b"Locked",
    424: b"Failed Dependency",
    425: b"Too Early",
    426: b"Upgrade Required",
    428: b"Precondition Required",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    451: b"Unavailable For Legal Reasons",
    499: b"Client Closed Request",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    505: b"HTTP Version Not Supported",
    506: b"Variant Also Negotiates",
    507: b"Insufficient Storage",
    508: b"Loop Detected",
    509: b"Bandwidth Limit Exceeded",
    510: b"Not Extended",
    511: b"Network Authentication Required",
}

#: Final responses that never have a body, whatever their fields say (RFC 9112 6.3).
BODYLESS = frozenset((204, 304))

_CLASSES = (b"", b"Informational", b"Success", b"Redirection", b"Client Error", b"Server Error")


def phrase(status: int) -> bytes:
    """Return the reason phrase of ``status``; for one without a name, that of its class."""
    known = PHRASES.get(status)
    if known is not None:
        return known
    return _CLASSES[status // 100] if 100 <= status < 600 else b"Unknown"


def hasBody(status: int, method: bytes) -> bool:
    """Say whether a final response may have a body: not to HEAD, not 1xx, 204 and 304."""
    return method != b"HEAD" and status >= 200 and status not in BODYLESS
