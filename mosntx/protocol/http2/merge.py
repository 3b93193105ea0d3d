"""Many small pieces of a body that came in one read become one.

Each piece costs an event, a chunk or a frame on the other side, and what filters do. Without this a
peer that sends one octet in each frame, 3 000 of them in one read, makes everybody else wait.
"""

from __future__ import annotations

from mosntx.contracts.codec import DATA, Event

#: Events of one read above which it pays to look for pieces.
MANY_EVENTS = 16


def merged(events: list[Event]) -> list[Event]:
    """Return events with all data of a stream that nothing else of this stream divides in one.

    It stands where the first piece stood: the order of events of different streams has no meaning.
    """
    bodies = [event[1] for event in events if event[0] == DATA]
    if len(set(bodies)) == len(bodies):  # as nearly always: one piece for each stream
        return events
    result: list[Event] = []
    groups: list[tuple[int, list[bytes]]] = []  # place in the result, pieces
    growing: dict[int, tuple[int, list[bytes]]] = {}
    for event in events:
        kind, number, part, end = event
        if kind != DATA:
            growing.pop(number, None)
            result.append(event)
        elif number not in growing:
            group = growing[number] = (len(result), [part])
            groups.append(group)
            result.append(event)
        else:
            place, pieces = growing[number]
            pieces.append(part)
            if end:
                result[place] = (DATA, number, b"", True)
    for place, pieces in groups:
        if len(pieces) > 1:
            kind, number, _, end = result[place]
            result[place] = (kind, number, b"".join(pieces), end)
    return result
