"""anthunder as a client or a server, a program of its own.

``anthunder_peer.py client PORT`` and ``anthunder_peer.py server PORT``. It speaks Bolt v1 only. The
client is told what to do in lines of JSON, see ``tests/interop/peers.py``. With ``--registry PORT``
it finds its sidecar as an application in a mesh does: by the local registry API.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import anthunder
from anthunder.client.aio_client import AioClient
from anthunder.listener.aio_listener import AioListener
from anthunder.mesh.mesh_client import MeshClient
from mytracer import SpanContext

SERVICE = "com.mosntx.interop.Echo:1.0"
#: Seconds the answers of one command may take.
PATIENCE = 90.0
#: Octets that may wait on a connection.
ROOM = 1 << 30
#: Octets of a request that may carry the length of a field: enough for 2**63.
VARINT = 10

Value = bytes | int


def encodeVarint(value: int) -> bytes:
    """Return a protobuf varint."""
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def decodeVarint(octets: bytes, at: int) -> tuple[int, int]:
    """Return a varint and where the rest begins."""
    value = 0
    for shift in range(VARINT):
        octet = octets[at + shift]
        value |= (octet & 0x7F) << 7 * shift
        if octet < 0x80:
            return value, at + shift + 1
    raise ValueError("no varint")


def encodeMessage(fields: dict[int, Value]) -> bytes:
    """Return a proto3 message: default values are left out."""
    octets = b""
    for number, value in fields.items():
        if isinstance(value, int):
            octets += encodeVarint(number << 3) + encodeVarint(value) if value else b""
        elif value:
            octets += encodeVarint(number << 3 | 2) + encodeVarint(len(value)) + value
    return octets


def decodeMessage(octets: bytes) -> dict[int, Value]:
    """Return the fields of a message with integers and octets."""
    fields: dict[int, Value] = {}
    at = 0
    while at < len(octets):
        key, at = decodeVarint(octets, at)
        number, at = decodeVarint(octets, at)
        if key & 7 == 2:
            fields[key >> 3] = octets[at : at + number]
            at += number
        else:
            fields[key >> 3] = number
    return fields


def say(value: dict[str, Any]) -> None:
    """Write a line for the test."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


class Listening(logging.Handler):
    """Hears what anthunder tells its log only."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        self._heard(record.getMessage())


class Client(AioClient):
    """anthunder's client with room for everything that a test sends.

    While it waits for room on a connection an answer may come in, and then it forgets the call:
    ``_send_request`` looks up what ``_recv_response`` has removed.
    """

    async def _get_connection(self, address: tuple[str, int]) -> Any:
        connection = await super()._get_connection(address)
        connection[1].transport.set_write_buffer_limits(high=ROOM)
        return connection


class Caller:
    """The client's side.

    :param port: where it connects.
    :param mesh: whether that is the port of its sidecar for all services.
    """

    def __init__(self, port: int, mesh: bool) -> None:
        self._address = ("127.0.0.1", port)
        if mesh:
            Client.mesh_service_address = self._address
        else:
            anthunder.SERVICE_MAP[SERVICE] = self._address
        self._client = Client("mosntx-interop")
        # A call that got a status has no result, whatever the status: only the log has it.
        self._statuses: Counter[str] = Counter()
        logger = logging.getLogger("anthunder.client.aio_client")
        logger.addHandler(Listening(self._hear))

    def _hear(self, text: str) -> None:
        found = re.search(r"RESPSTATUS=(\d+)", text)
        if found is not None:
            self._statuses[found[1]] += 1

    def _call(self, payload: bytes, pause: int) -> Future[Any]:
        content = encodeMessage({1: payload, 2: pause})
        made = self._client.invoke_async(
            SERVICE, "echo", content, spanctx=SpanContext(), timeout_ms=60_000
        )
        assert isinstance(made, Future)
        return made

    def calls(self, sizes: list[int], pause: int = 0) -> dict[str, Any]:
        """Make all calls at once and check every answer."""
        self._statuses.clear()
        outcome: Counter[str] = Counter(right=0, wrong=0, failed=0)
        errors: Counter[str] = Counter()
        servers: Counter[str] = Counter()
        payloads = []
        for index, size in enumerate(sizes):
            digest = hashlib.sha256(str(index).encode()).digest()
            payloads.append((digest * (size // len(digest) + 1))[:size])
        futures = [self._call(payload, pause) for payload in payloads]
        for payload, future in zip(payloads, futures, strict=True):
            try:
                answer = decodeMessage(future.result(PATIENCE).content)
            except Exception as error:
                outcome["failed"] += 1
                errors[type(error).__name__] += 1
                continue
            outcome["right" if answer.get(1, b"") == payload else "wrong"] += 1
            servers[bytes(answer[2]).decode()] += 1
        return {**outcome, "errors": errors, "servers": servers, "statuses": self._statuses}

    def heartbeat(self) -> dict[str, Any]:
        """Send a heartbeat.

        anthunder forgets the answer as soon as it has woken who waits for it, and trips over that:
        a KeyError means that it came.
        """
        loop = self._client._loop
        future = asyncio.run_coroutine_threadsafe(
            self._client.invoke_heartbeat(self._address), loop
        )
        try:
            answered = bool(future.result(5.0))
        except KeyError:
            answered = True
        except TimeoutError:
            answered = False
        return {"answered": answered, "status": None}

    def subscribe(self) -> dict[str, Any]:
        """Tell the sidecar that the service is wanted."""
        try:
            self._client.subscribe(SERVICE)
        except Exception as error:
            return {"failure": str(error)}
        return {"failure": None, "mesh": self._client._mesh_client is not None}

    def obey(self) -> None:
        """Do what standard input says."""
        say({"ready": True})
        for line in sys.stdin:
            command = json.loads(line)
            work: dict[str, Callable[..., dict[str, Any]]] = {
                "calls": self.calls,
                "heartbeat": self.heartbeat,
                "subscribe": self.subscribe,
            }
            say(work[command.pop("do")](**command))


class Echo:
    """The service."""

    def __init__(self, context: object) -> None:
        self._context = context

    def echo(self, body: bytes) -> bytes:
        """Return the payload, after a pause when one is wanted."""
        question = decodeMessage(body)
        pause = question.get(2, 0)
        if pause:
            sys.stdout.write("held\n")
            sys.stdout.flush()
            threading.Event().wait(int(pause) / 1000)
        return encodeMessage({1: question.get(1, b""), 2: b"anthunder"})


def serve(port: int, mesh: bool) -> None:
    """Answer for ever.

    :param mesh: whether the service is published through the sidecar.
    """
    logger = logging.getLogger("anthunder.listener.aio_listener")
    logger.setLevel(logging.INFO)

    def heard(text: str) -> None:
        if "received heartbeat" in text:
            sys.stdout.write("heartbeat\n")
            sys.stdout.flush()

    logger.addHandler(Listening(heard))
    listener = AioListener(("127.0.0.1", port), "mosntx-interop")
    listener.handler.register_interface(SERVICE, Echo)
    if mesh:
        listener.publish()
        say({"published": SERVICE})
    listener.run_forever()


def main() -> None:
    """Be a client or a server."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("client", "server"))
    parser.add_argument("port", type=int)
    parser.add_argument("others", nargs="*", help="version and codec: it has only one of each")
    parser.add_argument("--registry", type=int, help="port of the local registry API")
    options = parser.parse_args()
    mesh = options.registry is not None
    if mesh:
        MeshClient._server = f"http://127.0.0.1:{options.registry}/{{}}".format
    if options.role == "client":
        Caller(options.port, mesh).obey()
    else:
        serve(options.port, mesh)


if __name__ == "__main__":
    main()
