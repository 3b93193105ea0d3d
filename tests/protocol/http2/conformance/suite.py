"""All cases, and how they are played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from tests.protocol.http2.conformance import (
    compression,
    control,
    framing,
    messages,
    streams,
    upstream,
    windows,
)
from tests.protocol.http2.conformance.deviations import known
from tests.protocol.http2.conformance.dialogue import ClientDialogue, Dialogue, ServerDialogue
from tests.protocol.http2.conformance.expect import Case, run

#: What the codecs run on.
LIBRARIES = ("h2", "ngh2")

#: End of the connection -> its cases.
CASES: dict[str, tuple[Case, ...]] = {
    "server": framing.CASES
    + streams.CASES
    + control.CASES
    + windows.CASES
    + messages.CASES
    + compression.CASES,
    "client": upstream.CASES,
}

#: Octets at a time; 0 for whole steps.
CUTS = (0, 1)


def play(case: Case, side: str, library: str, cut: int = 0) -> tuple[str, Dialogue]:
    """Play a case; return the complaint, ``''`` when it passes, and the dialogue."""
    make: Any = ServerDialogue if side == "server" else ClientDialogue
    dialogue = make(library, cut, **case.options)
    return run(case, dialogue), dialogue


@attrs.frozen
class Result:
    """How a case went.

    :param complaint: the first of any cut.
    :param note: how a choice of the RFC was made.
    :param expected: it deviates as it is known to, or passes as it should.
    """

    case: Case
    complaint: str
    note: str
    expected: bool


def playAll(side: str, library: str) -> Iterator[Result]:
    """Play all cases of one end."""
    deviating = known(library, side)
    for case in CASES[side]:
        played = [play(case, side, library, cut) for cut in CUTS]
        complaint = next((text for text, _ in played if text), "")
        yield Result(
            case, complaint, played[0][1].note, bool(complaint) == (case.name in deviating)
        )
