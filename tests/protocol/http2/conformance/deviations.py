"""Cases that fail, and why they are left as they are.

A test wants each of them to fail still: whoever mends one takes it out here.
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Deviation:
    """Cases that fail for one reason.

    :param library: "h2" or "ngh2".
    :param side: "server" or "client".
    :param reason: for the manual.
    :param cases: their names.
    """

    library: str
    side: str
    reason: str
    cases: tuple[str, ...]


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        "h2",
        "server",
        "hyperframe reads the reserved bit as a part of the number.",
        ("6.9 the reserved bit of WINDOW_UPDATE",),
    ),
    Deviation(
        "h2",
        "client",
        "hyper-h2 ignores RST_STREAM for streams that it does not know.",
        ("5.1 idle: RST_STREAM",),
    ),
    Deviation(
        "h2",
        "client",
        "hyper-h2 resets the stream only, with STREAM_CLOSED.",
        ("5.1 reserved (remote): DATA",),
    ),
    Deviation(
        "ngh2",
        "server",
        "nghttp2 takes a request with the number of a stream that was left out for one that is "
        "over, and ignores it.",
        ("5.1.1 a smaller number than before",),
    ),
)


def known(library: str, side: str) -> frozenset[str]:
    """Return the names of cases that deviate."""
    return frozenset(
        name
        for deviation in DEVIATIONS
        if (deviation.library, deviation.side) == (library, side)
        for name in deviation.cases
    )
