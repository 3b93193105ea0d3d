"""A gRPC client and server of grpcio, a program of its own.

``grpcpeer.py server PORT`` serves until it is killed. ``grpcpeer.py client PORT CHECK...`` makes
the calls of each check in turn, prints what went wrong, and ends with the number of failed checks.
Messages are plain octets, so no generated code is needed.
"""

from __future__ import annotations

import functools
import hashlib
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc

SERVICE = "mosntx.Echo"
HEALTH = "grpc.health.v1.Health"
#: Messages of ``grpc.health.v1``.
SERVING = b"\x08\x01"
NOT_SERVING = b"\x08\x02"
#: Seconds a call may take.
PATIENCE = 20.0
BIG = 64 << 20
#: Octets of each message of a stream that is read slowly.
MESSAGE = 65_536
#: No limit for messages, one connection for each channel, and never the proxy of the environment.
OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.so_reuseport", 0),
)
METADATA = (
    ("x-text", "some text, with = and %20"),
    ("x-empty", ""),
    ("x-many", "1"),
    ("x-many", "2"),
    ("x-octets-bin", bytes(range(256))),
)
DETAILS = "pas trouvé: 100 %\nreally"


class Server:
    """What the server answers.

    :ivar cancelled: how many calls of ``Hang`` have ended by the client's will.
    """

    def __init__(self) -> None:
        self.cancelled = 0

    def unary(self, request: bytes, context: Any) -> bytes:
        """Echo; the client's metadata come back twice, in front and behind."""
        sent = [pair for pair in context.invocation_metadata() if pair[0].startswith("x-")]
        context.send_initial_metadata(sent)
        context.set_trailing_metadata([(f"t{name}", value) for name, value in sent])
        return request

    def collect(self, requests: Iterator[bytes], context: Any) -> bytes:
        """Say how many messages came, and their digest."""
        digest, count = hashlib.sha256(), 0
        for request in requests:
            digest.update(request)
            count += 1
        return f"{count} {digest.hexdigest()}".encode()

    def split(self, request: bytes, context: Any) -> Iterator[bytes]:
        """Send so many messages of so many octets; fail after them when there is a third word."""
        count, size, *fail = (int(word) for word in request.split())
        for number in range(count):
            yield bytes([number % 256]) * size
        if fail:
            context.abort(grpc.StatusCode.DATA_LOSS, DETAILS)

    def talk(self, requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
        """Answer each message at once."""
        for request in requests:
            yield b"re: " + request

    def early(self, requests: Iterator[bytes], context: Any) -> bytes:
        """Answer after the first message, whatever follows."""
        return b"enough: " + next(requests)

    def fail(self, request: bytes, context: Any) -> bytes:
        """Fail without any message, with the status that the request names."""
        for code in grpc.StatusCode:
            if code.value[0] == int(request):
                context.abort(code, DETAILS)
        raise ValueError(request)

    def hang(self, request: bytes, context: Any) -> Iterator[bytes]:
        """Send one message, with the seconds that the client gives; no second one."""
        over = threading.Event()

        def end() -> None:
            self.cancelled += 1
            over.set()

        context.add_callback(end)
        yield repr(context.time_remaining() or 0.0).encode()
        over.wait(PATIENCE)

    def seen(self, request: bytes, context: Any) -> bytes:
        """How many calls of `hang` have ended."""
        return str(self.cancelled).encode()

    def health(self, request: bytes, context: Any) -> bytes:
        """All services are well, but the one called ``down``; there is none called ``none``."""
        if request.endswith(b"none"):
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return NOT_SERVING if request.endswith(b"down") else SERVING

    def run(self, port: int) -> None:
        """Serve for ever."""
        server = grpc.server(futures.ThreadPoolExecutor(32), options=OPTIONS)
        calls = {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Collect": grpc.stream_unary_rpc_method_handler(self.collect),
            "Split": grpc.unary_stream_rpc_method_handler(self.split),
            "Talk": grpc.stream_stream_rpc_method_handler(self.talk),
            "Early": grpc.stream_unary_rpc_method_handler(self.early),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Hang": grpc.unary_stream_rpc_method_handler(self.hang),
            "Seen": grpc.unary_unary_rpc_method_handler(self.seen),
        }
        check = grpc.unary_unary_rpc_method_handler(self.health)
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(SERVICE, calls),
                grpc.method_handlers_generic_handler(HEALTH, {"Check": check}),
            )
        )
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        server.wait_for_termination()


class Checks:
    """What the client does; each public method is a check.

    :param channel: to the server, or to the first sidecar.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._unary = channel.unary_unary(f"/{SERVICE}/Unary")
        self._collect = channel.stream_unary(f"/{SERVICE}/Collect")
        self._split = channel.unary_stream(f"/{SERVICE}/Split")
        self._talk = channel.stream_stream(f"/{SERVICE}/Talk")
        self._hang = channel.unary_stream(f"/{SERVICE}/Hang")

    def unary(self) -> None:
        """Messages from nothing to 1 MiB."""
        for size in (0, 1, 65530, 65536, 1 << 20):
            same(self._unary(b"u" * size, timeout=PATIENCE), b"u" * size)

    def compressed(self) -> None:
        """Compressed messages are the peers' own affair."""
        message = b"c" * 100_000
        answer = self._unary(message, timeout=PATIENCE, compression=grpc.Compression.Gzip)
        same(answer, message)

    def clientStream(self) -> None:
        """300 messages up, one answer."""
        messages = [bytes([i % 256]) * (i * 11) for i in range(300)]
        expected = hashlib.sha256(b"".join(messages)).hexdigest()
        same(self._collect(iter(messages), timeout=PATIENCE), f"300 {expected}".encode())
        same(self._collect(iter(()), timeout=PATIENCE).split()[0], b"0")

    def serverStream(self) -> None:
        """Messages down, many small ones and a few big ones, and none."""
        for count, size in ((0, 0), (500, 10), (20, 300_000)):
            answers = list(self._split(b"%d %d" % (count, size), timeout=PATIENCE))
            same(answers, [bytes([i % 256]) * size for i in range(count)])

    def bidi(self) -> None:
        """Each answer comes before the next message is sent."""
        waiting: queue.Queue[bytes] = queue.Queue()
        answers = self._talk(iter(waiting.get, b"end"), timeout=PATIENCE)
        for number in range(100):
            message = b"%d" % number * (number + 1)
            waiting.put(message)
            same(next(answers), b"re: " + message)
        waiting.put(b"end")
        same(list(answers), [])
        same(answers.code(), grpc.StatusCode.OK)

    def early(self) -> None:
        """The server ends the call before the client has ended its stream."""
        over = threading.Event()

        def messages() -> Iterator[bytes]:
            yield b"first"
            over.wait(PATIENCE)

        call = self._channel.stream_unary(f"/{SERVICE}/Early")
        try:
            same(call(messages(), timeout=PATIENCE / 2), b"enough: first")
        finally:
            over.set()

    def metadata(self) -> None:
        """Metadata in both directions, repeated, empty and binary, in front and behind."""
        _, call = self._unary.with_call(b"", metadata=METADATA, timeout=PATIENCE)
        behind = [(f"t{name}", value) for name, value in METADATA]
        got = [tuple(pair) for pair in call.initial_metadata() if pair[0].startswith("x-")]
        same(sorted(got, key=repr), sorted(METADATA, key=repr))
        got = [tuple(pair) for pair in call.trailing_metadata() if pair[0].startswith("tx-")]
        same(sorted(got, key=repr), sorted(behind, key=repr))

    def errors(self) -> None:
        """Every status but 0, in an answer that has only trailers, with its details."""
        call = self._channel.unary_unary(f"/{SERVICE}/Fail")
        for code in grpc.StatusCode:
            if code is not grpc.StatusCode.OK:
                request = str(code.value[0]).encode()
                fails(code, DETAILS, functools.partial(call, request, timeout=PATIENCE))

    def lateError(self) -> None:
        """An error after messages; the messages arrive."""
        answers = self._split(b"3 10 1", timeout=PATIENCE)
        for number in range(3):
            same(next(answers), bytes([number]) * 10)
        fails(grpc.StatusCode.DATA_LOSS, DETAILS, lambda: next(answers))

    def unknownMethod(self) -> None:
        """What the server does not know, it says itself."""
        call = self._channel.unary_unary("/mosntx.Nothing/Nothing")
        fails(grpc.StatusCode.UNIMPLEMENTED, "", lambda: call(b"", timeout=PATIENCE))

    def health(self) -> None:
        """A health check."""
        same(self._channel.unary_unary(f"/{HEALTH}/Check")(b"", timeout=PATIENCE), SERVING)

    def cancel(self) -> None:
        """The server hears that a call was cancelled; another call goes on."""
        before = self._seen()
        other = self._hang(b"")
        next(other)
        call = self._hang(b"")
        next(call)
        call.cancel()
        same(call.code(), grpc.StatusCode.CANCELLED)
        self._waitForSeen(before + 1)
        same(other.is_active(), True)
        other.cancel()
        self._waitForSeen(before + 2)

    def deadline(self) -> None:
        """The server knows the deadline, and the client sees it pass."""
        before = self._seen()
        call = self._hang(b"", timeout=1.0)
        same(float(next(call)) < 2.0, True)
        fails(grpc.StatusCode.DEADLINE_EXCEEDED, "", lambda: next(call))
        self._waitForSeen(before + 1)

    def many(self) -> None:
        """300 calls at once on one connection."""
        calls = [self._unary.future(b"%d" % i * (i * 7), timeout=PATIENCE) for i in range(300)]
        for i, call in enumerate(calls):
            same(call.result(), b"%d" % i * (i * 7))

    def big(self) -> None:
        """64 MiB up and down in one message."""
        message = bytes(range(256)) * (BIG // 256)
        same(hash(self._unary(message, timeout=2 * PATIENCE)), hash(message))

    def unavailable(self) -> None:
        """Nobody is behind the sidecar; it says so at once, in words of gRPC."""
        begun = time.monotonic()
        error = fails(grpc.StatusCode.UNAVAILABLE, "", lambda: self._unary(b"", timeout=PATIENCE))
        same(time.monotonic() - begun < PATIENCE / 2, True)
        fails(
            grpc.StatusCode.UNAVAILABLE,
            "",
            lambda: self._collect(iter([b"a"] * 3), timeout=PATIENCE),
        )
        sys.stdout.write(f"details: {error.details()}\n")

    def unroutable(self) -> None:
        """The sidecar has no route; 404 is UNIMPLEMENTED in gRPC's table."""
        error = fails(grpc.StatusCode.UNIMPLEMENTED, "", lambda: self._unary(b"", timeout=PATIENCE))
        sys.stdout.write(f"details: {error.details()}\n")

    def drain(self) -> None:
        """A call goes on while the sidecar drains; it is told when by its input."""
        waiting: queue.Queue[bytes] = queue.Queue()
        answers = self._talk(iter(waiting.get, b"end"), timeout=PATIENCE)
        waiting.put(b"before")
        same(next(answers), b"re: before")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        waiting.put(b"after")
        same(next(answers), b"re: after")
        waiting.put(b"end")
        same(list(answers), [])
        same(answers.code(), grpc.StatusCode.OK)

    def slow(self) -> None:
        """A stream of 64 MiB whose reader takes one message for each other call."""
        self._slow(64 << 20)

    def slowGibibyte(self) -> None:
        """The same with 1 GiB."""
        self._slow(1 << 30)

    def _slow(self, size: int) -> None:
        count = size // MESSAGE
        alone = [self._timed() for _ in range(500)]
        sys.stdout.write("begin\n")
        sys.stdout.flush()
        answers = self._split(b"%d %d" % (count, MESSAGE))
        beside = []
        for number in range(count):
            same(next(answers), bytes([number % 256]) * MESSAGE)
            beside.append(self._timed())
        same(list(answers), [])
        sys.stdout.write(f"took {count * MESSAGE}\n")
        for words, times in (("alone", alone), ("beside", beside)):
            times.sort()
            half, most = times[len(times) // 2], times[len(times) * 99 // 100]
            sys.stdout.write(f"{words} {half:.6f} {most:.6f} {times[-1]:.6f}\n")

    def _timed(self) -> float:
        begun = time.monotonic()
        same(self._unary(b"t" * 100, timeout=PATIENCE), b"t" * 100)
        return time.monotonic() - begun

    def _seen(self) -> int:
        return int(self._channel.unary_unary(f"/{SERVICE}/Seen")(b"", timeout=PATIENCE))

    def _waitForSeen(self, count: int) -> None:
        for _ in range(100):
            if self._seen() >= count:
                break
            threading.Event().wait(0.05)
        same(self._seen(), count)


def same(got: Any, expected: Any) -> None:
    """Complain when these differ."""
    if got != expected:
        raise AssertionError(f"got {repr(got)[:300]}, not {repr(expected)[:300]}")


def fails(code: grpc.StatusCode, details: str, call: Callable[[], Any]) -> Any:
    """Complain unless the call fails in this way; return its error."""
    try:
        call()
    except grpc.RpcError as error:
        problem: Any = error
        same(problem.code(), code)
        if details:
            same(problem.details(), details)
        return problem
    raise AssertionError(f"the call did not fail with {code}")


def client(port: int, names: list[str]) -> int:
    """Make the checks; return how many failed."""
    failed = 0
    for name in names:
        begun = time.monotonic()
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=OPTIONS) as channel:
            try:
                getattr(Checks(channel), name)()
            except Exception:
                failed += 1
                sys.stdout.write(f"{name} FAILED: {traceback.format_exc()}\n")
        sys.stdout.write(f"{name}: {time.monotonic() - begun:.2f} s\n")
    return failed


if __name__ == "__main__":
    if sys.argv[1] == "server":
        Server().run(int(sys.argv[2]))
    else:
        sys.exit(client(int(sys.argv[2]), sys.argv[3:]))
