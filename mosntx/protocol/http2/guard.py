"""Counts what floods are made of, from the frame headers alone.

All frames of HTTP/2 begin with 9 octets (RFC 9113 4.1)::

    | length (24) | type (8) | flags (8) | reserved (1), stream id (31) | payload (length) ...

The guard walks from header to header, in any cut, before an engine decodes anything. So the limits
are the same with each engine, and what an engine would do for a flood is never done.
"""

from __future__ import annotations

from struct import Struct

import attrs

from mosntx.protocol.buckets import Bucket, Rate
from mosntx.protocol.errors import LimitError
from mosntx.protocol.http2.codes import DEFAULT_FRAME, ENHANCE_YOUR_CALM, PREFACE

HEADER_LENGTH = 9
#: How many entries `FrameGuard.priorities` keeps; more are dropped: priorities are hints.
MAX_PRIORITIES = 64
#: Octets of a priority field value that are kept; a longer one is ignored. "u=7, i" has 6.
MAX_PRIORITY_VALUE = 256

_DATA, _HEADERS, _PRIORITY, _RST_STREAM, _SETTINGS, _PUSH_PROMISE, _PING = range(7)
_WINDOW_UPDATE, _CONTINUATION, _PRIORITY_UPDATE = 0x8, 0x9, 0x10
_END_STREAM = _ACK = 0x1
_END_HEADERS, _PADDED, _PRIORITY_FLAG = 0x4, 0x8, 0x20
#: Flags that tell a field block in one frame without priority.
_BLOCK_FLAGS = _END_HEADERS | _PRIORITY_FLAG
_BLOCK_KINDS = frozenset([_HEADERS, _PUSH_PROMISE, _CONTINUATION])
_ID_MASK = 0x7FFFFFFF
_ENTRY_LENGTH = 6  # of a setting
_WINDOW_UPDATES_EARNED = 10  # by each DATA frame; Envoy's figure

# Length and type are read as one number: two operations less for each frame.
_unpackStart = Struct(">LB").unpack_from
_unpackId = Struct(">L").unpack_from
_unpackDependency = Struct(">LB").unpack_from

#: ("dependency", stream id, depends on, weight 1..256, exclusive), of PRIORITY and HEADERS; or
#: ("update", stream id, priority field value), of PRIORITY_UPDATE.
PrioritySeen = tuple[str, int, int, int, bool] | tuple[str, int, bytes]

_WORDS = {
    "resets": "stream resets",
    "settings": "SETTINGS frames",
    "pings": "PING frames",
    "ping_acks": "answers to PING",
    "window_updates": "WINDOW_UPDATE frames",
    "priorities": "PRIORITY frames",
    "empty_data": "empty DATA frames",
    "others": "frames of other types",
}


@attrs.frozen
class FloodLimits:
    """How often one connection may send what costs more to receive than to send.

    :param resets: RST_STREAM frames, and streams that we had to reset because of the peer: rapid
        reset (CVE-2023-44487), MadeYouReset (CVE-2025-8671). nghttp2's figures.
    :param settings: SETTINGS frames, of which each needs an answer (CVE-2019-9515).
    :param pings: PING frames, of which each needs an answer (CVE-2019-9512).
    :param ping_acks: PING frames with ACK. Few are asked for, and more say nothing.
    :param window_updates: WINDOW_UPDATE frames, besides the 10 that each DATA frame which we sent
        earns: windows in tiny steps (CVE-2019-9511, CVE-2019-9517).
    :param priorities: PRIORITY and PRIORITY_UPDATE frames: shuffled trees (CVE-2019-9513).
    :param empty_data: DATA frames without any data and without END_STREAM (CVE-2019-9518). Those
        with nothing but padding are empty too.
    :param others: GOAWAY frames and frames of unknown types, which are to be ignored.
    :param max_continuations: CONTINUATION frames of one field block (CVE-2024-27316 and its kin).
        With frames of 16 KiB four are enough for `max_header_block`.
    :param max_header_block: octets of the payloads of one field block as they come, so before
        decoding. An endless block is cut before it is kept or decoded (CVE-2024-27983).
    :param max_settings: entries of one SETTINGS frame (CVE-2020-11080); nghttp2's figure.
    """

    resets: Rate = attrs.field(default=Rate(1000, 33.0))
    settings: Rate = attrs.field(default=Rate(100, 10.0))
    pings: Rate = attrs.field(default=Rate(1000, 100.0))
    ping_acks: Rate = attrs.field(default=Rate(100, 10.0))
    window_updates: Rate = attrs.field(default=Rate(1000, 100.0))
    priorities: Rate = attrs.field(default=Rate(1000, 100.0))
    empty_data: Rate = attrs.field(default=Rate(100, 10.0))
    others: Rate = attrs.field(default=Rate(1000, 100.0))
    max_continuations: int = 8
    max_header_block: int = 65536
    max_settings: int = 32


class FloodError(LimitError):
    """A peer sent more of something than `FloodLimits` allows.

    :param name: of the limit, as in `FloodLimits`.
    :param code: the HTTP/2 error code of the GOAWAY.
    """

    def __init__(
        self, name: str, reason: str, status: int = 0, code: int = ENHANCE_YOUR_CALM
    ) -> None:
        super().__init__(status, reason)
        self.name = name
        self.code = code


class FrameGuard:
    """Walks the frames that one connection receives, and counts.

    What is wrong otherwise, such as a frame that is too long or not allowed now, it leaves to the
    engine. After it returned a `FloodError` it must not be asked any more.

    :param client: the peer is a server, so no preface comes.
    :ivar priorities: what was said of priorities since it was last emptied (by the caller).
    :ivar tripped: the name of the limit that was passed; empty as long as all is well.
    :ivar begun: the peer has sent SETTINGS.
    :ivar blocks: changes whenever another field block begins to be waited for.
    """

    __slots__ = (
        "_block",
        "_blockOpen",
        "_buckets",
        "_continuations",
        "_emptyData",
        "_held",
        "_largestHeaders",
        "_lastKind",
        "_limits",
        "_open",
        "_others",
        "_pingAcks",
        "_resets",
        "_skip",
        "_status",
        "_windowUpdates",
        "begun",
        "blocks",
        "priorities",
        "tripped",
    )

    def __init__(self, limits: FloodLimits, client: bool) -> None:
        self.priorities: list[PrioritySeen] = []
        self.tripped = ""
        self._limits = limits
        self._status = 502 if client else 0
        self._blockOpen = False
        self._skip = 0 if client else len(PREFACE)  # octets to pass before the next header
        self._held = b""  # of a frame whose header, or what is read of its payload, was cut
        self._block = 0  # octets of the field block that is coming
        self._continuations = 0
        self._open = False  # the field block goes on in another frame
        self._lastKind = -1
        self.begun = False
        self.blocks = 0
        self._largestHeaders = limits.max_header_block << 8 | _HEADERS  # as _unpackStart reads it
        self._resets = Bucket("resets", limits.resets)
        self._windowUpdates = Bucket("window_updates", limits.window_updates)
        self._emptyData = Bucket("empty_data", limits.empty_data)
        self._pingAcks = Bucket("ping_acks", limits.ping_acks)
        self._others = Bucket("others", limits.others)
        priorities = Bucket("priorities", limits.priorities)
        self._buckets = {
            _RST_STREAM: self._resets,
            _SETTINGS: Bucket("settings", limits.settings),
            _PING: Bucket("pings", limits.pings),
            _WINDOW_UPDATE: self._windowUpdates,
            _PRIORITY: priorities,
            _PRIORITY_UPDATE: priorities,
        }

    @property
    def blockComing(self) -> bool:
        """A field block, or one of its frames, has begun and not ended."""
        return self._open or (self._skip > 0 and self._lastKind in _BLOCK_KINDS)

    def feed(self, data: bytes, now: float) -> FloodError | None:
        """Look at octets that came, and return the limit that they passed, if any.

        :param now: seconds of a monotonic clock.
        """
        end = len(data)
        position = self._skip
        if self._held:
            position, flood = self._feedHeld(data, now)
            if flood is not None or self._held:
                return flood
        last = end - HEADER_LENGTH
        largestHeaders = self._largestHeaders
        kind = -1  # no frame begins here
        while position <= last:
            start, flags = _unpackStart(data, position)
            kind = start & 0xFF
            # Hot: nearly all frames are one of these two, and nothing is to be counted.
            if kind == _DATA:
                ordinary = flags & _END_STREAM or (start and not flags & _PADDED)
            else:
                ordinary = (
                    kind == _HEADERS
                    and flags & _BLOCK_FLAGS == _END_HEADERS
                    and start <= largestHeaders
                )
            if not ordinary:
                if position + HEADER_LENGTH + _peekLength(start, flags) > end:
                    break
                flood = self._count(data, position, start, flags, now)
                if flood is not None:
                    return flood
            position += HEADER_LENGTH + (start >> 8)
        self._leave(data, position, kind)
        return None

    def _leave(self, data: bytes, position: int, kind: int) -> None:
        """Remember where the octets ended: in front of ``position``, behind it, or there."""
        end = len(data)
        if position < end:
            self._held = data[position:]
            self._skip = 0
        else:
            self._skip = position - end
            if position > end and kind == _HEADERS:
                self.blocks += 1
        if kind >= 0:
            self._lastKind = kind

    @property
    def between(self) -> bool:
        """Whether the last frame is whole, and no field block goes on in a CONTINUATION frame."""
        return not (self._held or self._skip or self._blockOpen)

    def streamReset(self, now: float) -> FloodError | None:
        """Count a stream that we reset because of what the peer did, as if it had reset it."""
        return None if self._resets.take(now) else self._rateFlood(self._resets)

    def dataSent(self, frames: int) -> None:
        """Tell that DATA frames were sent: the peer may credit them."""
        self._windowUpdates.earn(frames * _WINDOW_UPDATES_EARNED)

    def _feedHeld(self, data: bytes, now: float) -> tuple[int, FloodError | None]:
        """Go on with the frame that was cut; `_held` is empty when it is done.

        :returns: where in the octets the next header begins, maybe behind their end; and a flood.
        """
        held = self._held
        kept = len(held)
        if kept < HEADER_LENGTH:
            held += data[: HEADER_LENGTH - kept]
        if len(held) >= HEADER_LENGTH:
            start, flags = _unpackStart(held)
            wanted = HEADER_LENGTH + _peekLength(start, flags)
            if len(held) < wanted:
                held += data[len(held) - kept : wanted - kept]
            if len(held) == wanted:
                self._held = b""
                self._lastKind = start & 0xFF
                flood = self._count(held, 0, start, flags, now)
                return HEADER_LENGTH + (start >> 8) - kept, flood
        self._held = held
        return len(data), None

    def _count(
        self, frame: bytes, at: int, start: int, flags: int, now: float
    ) -> FloodError | None:
        """Count one frame.

        :param frame: octets that hold it, at least as many as `_peekLength` tells.
        :param at: where its header begins.
        :param start: its length and type, as `_unpackStart` reads them.
        """
        kind = start & 0xFF
        length = start >> 8
        if kind in _BLOCK_KINDS:
            self._blockOpen = not flags & _END_HEADERS
            if kind == _HEADERS and flags & _PRIORITY_FLAG:
                self._seeDependency(frame, at, length, at + HEADER_LENGTH + (flags & _PADDED > 0))
            return self._countBlock(kind, length, flags)
        if kind == _DATA:
            padding = frame[at + HEADER_LENGTH] + 1 if length and flags & _PADDED else 0
            if flags & _END_STREAM or length > padding:
                return None
            bucket = self._emptyData
        elif kind == _PING and flags & _ACK:
            bucket = self._pingAcks
        else:
            bucket = self._buckets.get(kind, self._others)
        if not bucket.take(now):
            return self._rateFlood(bucket)
        if kind == _PRIORITY:
            self._seeDependency(frame, at, length, at + HEADER_LENGTH)
        elif kind == _PRIORITY_UPDATE:
            self._seeUpdate(frame, at, length)
        elif kind == _SETTINGS:
            self.begun = True
            most = self._limits.max_settings
            if most * _ENTRY_LENGTH < length <= DEFAULT_FRAME:
                return self._flood("max_settings", f"more than {most} settings in a frame")
        return None

    def _countBlock(self, kind: int, length: int, flags: int) -> FloodError | None:
        """Count one frame of a field block."""
        self._open = not flags & _END_HEADERS
        if length > DEFAULT_FRAME:
            return None  # the engine has another error for it
        if kind == _CONTINUATION:
            self._block += length
            self._continuations += 1
        else:
            self._block = length
            self._continuations = 0
            self.blocks += 1
        limits = self._limits
        if self._continuations > limits.max_continuations:
            text = f"more than {limits.max_continuations} CONTINUATION frames of a field block"
            return self._flood("max_continuations", text)
        if self._block > limits.max_header_block:
            text = f"more than {limits.max_header_block} octets of a field block"
            return self._flood("max_header_block", text)
        return None

    def _seeDependency(self, frame: bytes, at: int, length: int, field: int) -> None:
        """Keep the priority of RFC 9113 5.3.2 (of RFC 7540) that begins at ``field``."""
        if field + 5 > at + HEADER_LENGTH + length or len(self.priorities) >= MAX_PRIORITIES:
            return
        dependency, weight = _unpackDependency(frame, field)
        streamId = _unpackId(frame, at + 5)[0] & _ID_MASK
        exclusive = dependency > _ID_MASK
        self.priorities.append(
            ("dependency", streamId, dependency & _ID_MASK, weight + 1, exclusive)
        )

    def _seeUpdate(self, frame: bytes, at: int, length: int) -> None:
        """Keep what a PRIORITY_UPDATE frame says (RFC 9218 7.1)."""
        if 4 <= length <= 4 + MAX_PRIORITY_VALUE and len(self.priorities) < MAX_PRIORITIES:
            field = at + HEADER_LENGTH
            streamId = _unpackId(frame, field)[0] & _ID_MASK
            self.priorities.append(("update", streamId, frame[field + 4 : field + length]))

    def _rateFlood(self, bucket: Bucket) -> FloodError:
        """Return the error of an empty bucket."""
        rate = bucket.rate
        text = f"more than {rate.burst} {_WORDS[bucket.name]} ({rate.per_second:g} per second)"
        return self._flood(bucket.name, text)

    def _flood(self, name: str, text: str) -> FloodError:
        """Return the error of a limit, and remember the limit."""
        self.tripped = name
        return FloodError(name, f"flood: {text}", self._status)


def _peekLength(start: int, flags: int) -> int:
    """Return how many octets of a frame's payload are looked at."""
    kind = start & 0xFF
    if kind == _PRIORITY:
        wanted = 5
    elif kind == _HEADERS:
        wanted = 0 if not flags & _PRIORITY_FLAG else 6 if flags & _PADDED else 5
    elif kind == _DATA:
        wanted = 1 if flags & _PADDED else 0
    elif kind == _PRIORITY_UPDATE:
        # The value of one that is too long is not kept, so it is not waited for either.
        wanted = start >> 8 if start >> 8 <= 4 + MAX_PRIORITY_VALUE else 0
    else:
        return 0
    return min(wanted, start >> 8)
