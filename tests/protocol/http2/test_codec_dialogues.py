"""Random dialogues: whatever the cuts, the windows and the order, every request ends once."""

from __future__ import annotations

import random
from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, HEAD, RESET, TRAILERS, Event
from mosntx.contracts.stream import LOCAL_RESET, REFUSED
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from tests.protocol.http2.build import ENGINES, drained, request, response

#: Octets of bodies: nothing, a little, a whole window and around it.
SIZES = (0, 0, 1, 500, 1023, 1024, 1025, 5000)
SUM = Headers([(b"sum", b"1")])


class _Message:
    """A body that is sent in pieces, and what the other end has heard of it."""

    def __init__(self, source: random.Random) -> None:
        self.body = source.randbytes(source.choice(SIZES))
        self.trailers = source.random() < 0.3
        self.sent = 0
        self.done = False
        self.heard = b""
        self.ends: list[int] = []

    def step(self, source: random.Random, number: int, data: Any, trailers: Any) -> None:
        """Send one piece more, or the end."""
        size = source.choice((1, 100, 1024, 5000))
        piece = self.body[self.sent : self.sent + size]
        self.sent += len(piece)
        last = self.sent == len(self.body) and source.random() < 0.5
        self.done = last
        if last and self.trailers:
            if piece:
                data(number, piece, False)
            trailers(number, SUM)
        elif piece or last:
            data(number, piece, last)

    def take(self, kind: int, part: Any, end: bool) -> None:
        """Hear one event."""
        if kind == DATA:
            self.heard += part
        if end:
            self.ends.append(kind)


class _Dialogue:
    """A client and a server that talk through a wire which cuts anywhere."""

    def __init__(self, seed: int, client: str, server: str) -> None:
        self.source = random.Random(seed)
        window = self.source.choice((0, 1024, 4096))
        small = evolve(Http2Limits(), stream_window=window or 65535)
        self.client: Any = Http2Protocol(small, client).clientCodec()
        self.server: Any = Http2Protocol(small, server).serverCodec()
        self.up = self.down = b""
        self.requests: dict[int, _Message] = {}
        self.answers: dict[int, _Message] = {}
        self.resets: dict[int, int] = {}
        self.failed = False
        self.leaving = False

    def carry(self, all_: bool = False) -> None:
        """Carry some of the octets each way."""
        self.up += drained(self.client)
        cut = len(self.up) if all_ else self.source.randrange(len(self.up) + 1)
        octets, self.up = self.up[:cut], self.up[cut:]
        for event in self.server.receive(octets):
            self.asked(*event)
        self.down += drained(self.server)
        cut = len(self.down) if all_ else self.source.randrange(len(self.down) + 1)
        octets, self.down = self.down[:cut], self.down[cut:]
        for event in self.client.receive(octets):
            self.answered(event)

    def asked(self, kind: int, number: int, part: Any, end: bool) -> None:
        """The server hears something."""
        if kind == HEAD:
            self.answers[number] = _Message(self.source)
            self.server.responseHead(number, response(), False)
        elif kind == RESET:
            self.answers.pop(number, None)
        self.failed |= kind == FAILED
        if kind in (HEAD, DATA, TRAILERS):
            self.requests[number].take(kind, part, end)

    def answered(self, event: Event) -> None:
        """The client hears something."""
        kind, number, part, end = event
        self.failed |= kind == FAILED
        if kind == RESET:
            assert number not in self.resets, number
            self.resets[number] = part
        elif kind in (DATA, TRAILERS):
            assert number not in self.resets, number
            self.answers[number].take(kind, part, end)

    def act(self) -> None:
        """Do something at one of the ends."""
        source, client, server = self.source, self.client, self.server
        what = source.random()
        if what < 0.2 and client.capacity and len(self.requests) < 20:
            number, _ = client.requestHead(request(b"POST"), False)
            self.requests[number] = _Message(source)
        elif what < 0.5:
            self.send(self.requests, client.requestData, client.requestTrailers)
        elif what < 0.9:
            self.send(self.answers, server.responseData, server.responseTrailers)
        elif what < 0.93 and self.requests:
            number = source.choice(list(self.requests))
            if not self.answers.get(number) or not self.answers[number].ends:
                client.reset(number, LOCAL_RESET)
                self.requests[number].done = True
                self.resets.setdefault(number, LOCAL_RESET)
        elif what < 0.94 and not self.leaving:
            self.leaving = True
            server.goAway()

    def send(self, messages: dict[int, _Message], data: Any, trailers: Any) -> None:
        open_ = [number for number, each in messages.items() if not each.done]
        if open_:
            number = self.source.choice(open_)
            messages[number].step(self.source, number, data, trailers)

    def finish(self) -> None:
        """Say what is left and carry until both are silent."""
        for _ in range(400):
            for messages, data, trailers in (
                (self.requests, self.client.requestData, self.client.requestTrailers),
                (self.answers, self.server.responseData, self.server.responseTrailers),
            ):
                self.send(messages, data, trailers)
            self.carry(True)


class DialogueTests(SynchronousTestCase):
    """All pairs of engines."""

    def test_everyRequestEndsOnce(self) -> None:
        """It is answered whole, given up by us, or refused because the server leaves."""
        for client in ENGINES:
            for server in ENGINES:
                for seed in range(12):
                    self.check(_Dialogue(seed, client, server), (seed, client, server))

    def check(self, talk: _Dialogue, name: Any) -> None:
        for _ in range(300):
            talk.act()
            talk.carry()
        talk.finish()
        self.assertFalse(talk.failed, name)
        for number, sent in talk.requests.items():
            why = talk.resets.get(number)
            if why is not None:
                self.assertIn(why, (LOCAL_RESET, REFUSED), (name, number))
                continue
            answer = talk.answers[number]
            self.assertEqual((sent.heard, len(sent.ends)), (sent.body, 1), (name, number))
            self.assertEqual((answer.heard, len(answer.ends)), (answer.body, 1), (name, number))
        self.assertEqual((talk.client.queuedTotal, talk.server.queuedTotal), (0, 0), name)
        self.assertEqual((talk.client._streams, talk.server._streams), ({}, {}), name)
