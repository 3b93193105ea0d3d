"""The chunked transfer coding (RFC 9112 7.1), read by llhttp (by httptools).

The wire::

    1*HEXDIG [ ";" extensions ] CRLF  octets CRLF  ...  "0" [ ";" extensions ] CRLF  trailers CRLF

Each chunked message gets a parser of its own, which sees a constant head and then the octets of
the coding, as they come. llhttp takes sizes, extensions, payload and trailers apart and refuses by
itself, at the first octet that is wrong (checked for httptools 0.7.1 and 0.9):

- sizes that are not hexadecimal digits only (signs, ``0x``, ``_``, spaces on either side), empty
  ones, and those from 2^64 on;
- extensions that are no tokens and quoted strings, also those with spaces, controls or NUL;
- LF without CR and CR without LF anywhere in the framing, and payload without CRLF behind it;
- trailers with folded lines, a space before the colon, no colon, odd names, controls or NUL.

Left to check here are the limits, of which it has none: of size lines, of framing for so much body,
of the body, of trailers (`framing.parseTrailers` takes the forbidden ones out).

httptools does not tell where in the octets llhttp stands. Therefore a size line is fed up to its
LF and not beyond; once llhttp has accepted it, its length is counted, and the number in it is
converted as that of a Content-Length is. That tells where the next size line begins: nothing in a
payload is searched, whatever it looks like, and llhttp never sees an octet behind the message,
which is over when llhttp says so.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpRequestParser

from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.http1.limits import Http1Limits

#: How many octets of framing one octet of body may cost beyond `Http1Limits.max_chunk_overhead`.
OVERHEAD_RATIO = 4
#: More octets than any body has; others read larger numbers as negative ones (attack case 14).
MAX_BODY = (1 << 60) - 1

_HEAD = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
_CRLF = b"\r\n"
_END = b"\r\n\r\n"


class _Sink:
    """What httptools calls. ``on_body`` is the method of a list: no Python code runs for it."""

    __slots__ = ("complete", "on_body")

    def __init__(self, parts: list[bytes]) -> None:
        self.on_body = parts.append
        self.complete = False

    def on_message_complete(self) -> None:
        self.complete = True


class ChunkedReader:
    """Takes one chunked body apart.

    :param limits: the figures.
    :param maxBody: octets of body allowed; 0 for no limit.
    :param badStatus: status of errors.

    ``trailers`` holds the trailer block at the end, ``b''`` without trailers.
    """

    __slots__ = (
        "_badStatus",
        "_body",
        "_feed",
        "_left",
        "_limits",
        "_line",
        "_maxBody",
        "_overhead",
        "_parts",
        "_sink",
        "_tail",
        "trailers",
    )

    def __init__(self, limits: Http1Limits, maxBody: int, badStatus: int) -> None:
        self._limits = limits
        self._maxBody = maxBody
        self._badStatus = badStatus
        self._parts: list[bytes] = []
        self._sink = _Sink(self._parts)
        parser = HttpRequestParser(self._sink)
        # Behind the constant head, Content-Length and Transfer-Encoding can only be trailers. They
        # are dropped like others that are forbidden (attack case 16). Nothing else gets lenient.
        parser.set_dangerous_leniencies(lenient_chunked_length=True, lenient_transfer_encoding=True)
        self._feed = parser.feed_data
        self._feed(_HEAD)
        self._left = 0  # octets before the next size line: of payload, and its CRLF
        self._line = b""  # the beginning of a size line
        self._body = 0
        self._overhead = 0
        self._tail: bytes | None = None  # what came from the last size line's CRLF on
        self.trailers = b""

    def feed(self, data: bytes, parts: list[bytes]) -> bytes | None:
        """Append the octets of body in ``data`` to ``parts``.

        :return: what follows the message when it is complete; ``None`` before.
        :raises ProtocolError: when the coding is broken; ``parts`` has what came before.
        """
        try:
            return self._chunkOctets(data) if self._tail is None else self._lastOctets(data)
        except HttpParserError as error:
            # The texts are llhttp's own and short; they never quote the input.
            raise ProtocolError(self._badStatus, str(error).lower()) from None
        finally:
            parts += self._parts
            self._parts.clear()

    def _chunkOctets(self, data: bytes) -> bytes | None:
        """Feed chunks, each together with the size line of the next."""
        size = len(data)
        most = self._limits.max_chunk_line + 2
        position = 0
        while True:
            start = position + self._left
            if start >= size:
                self._left = start - size
                if position < size:
                    self._feed(data[position:])
                return None
            # llhttp refuses every LF in a size line but the one that ends it.
            end = data.find(b"\n", start, start + most - len(self._line)) + 1
            if not end:
                self._beginLine(data, position, start)
                return None
            self._feed(data[position:end])
            line = data[start:end]
            if self._line:
                line = self._line + line
                self._line = b""
            length = self._chunkSize(line)
            if not length:
                self._tail = _CRLF
                return self._lastOctets(data[end:])
            self._left = length + 2
            position = end

    def _beginLine(self, data: bytes, position: int, start: int) -> None:
        """Feed what ends in a size line, of which no more than the limit is looked at."""
        most = self._limits.max_chunk_line + 2
        end = start + most - len(self._line)
        self._feed(data[position:end])
        self._left = 0
        self._line += data[start:end]
        if len(self._line) == most:
            raise LimitError(self._badStatus, "chunk size line too long")

    def _chunkSize(self, line: bytes) -> int:
        """Return the size in a whole line, which llhttp has accepted.

        :raises LimitError: when the chunk goes over a limit.
        """
        size = int(line.partition(b";")[0], 16)  # strips the CRLF
        body = self._body = self._body + size
        overhead = self._overhead = self._overhead + len(line) + 2
        if overhead > self._limits.max_chunk_overhead and overhead > OVERHEAD_RATIO * body:
            raise LimitError(self._badStatus, "too much chunk framing for so little body")
        if body > (self._maxBody or MAX_BODY):
            raise LimitError(413 if self._maxBody else self._badStatus, "body too large")
        return size

    def _lastOctets(self, data: bytes) -> bytes | None:
        """Feed what stands behind the last size line, up to the first empty line."""
        held = self._tail
        assert held is not None
        # Room for the empty line is always left.
        most = max(self._limits.max_trailer_size, len(_CRLF)) + len(_CRLF)
        tail = held + data[: most - len(held)]
        end = tail.find(_END, max(0, len(held) - 3))
        used = (len(tail) if end < 0 else end + 4) - len(held)
        self._feed(data[:used])
        if self._sink.complete:
            if end:
                self.trailers = tail[: end + 4]
            return data[used:]
        if len(tail) == most:
            raise LimitError(self._badStatus, "trailers too large")
        self._tail = tail
        return None
