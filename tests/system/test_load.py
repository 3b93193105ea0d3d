"""Many requests, big bodies, and the end of the daemon under load."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import socket
import sys
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, Running, freePort, proxyConfig

#: A server that answers ``/N`` with N octets of a pattern that depends on N, and hashes what it is
#: sent.
SERVER = """
import asyncio, hashlib, sys

BLOCK = bytes(range(256)) * 256

class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.buffer = b""
        self.task = None
        self.writable = asyncio.Event()
        self.writable.set()
        self.body = 0

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def connection_lost(self, why):
        if self.task:
            self.task.cancel()

    def data_received(self, data):
        if self.body:
            taken = data[:self.body]
            self.body -= len(taken)
            self.hash.update(taken)
            data = data[len(taken):]
            if not self.body:
                self.answer(self.hash.hexdigest().encode())
            if not data:
                return
        self.buffer += data
        while not self.body:
            head, end, rest = self.buffer.partition(b"\\r\\n\\r\\n")
            if not end:
                return
            self.buffer = rest
            lines = head.lower().split(b"\\r\\n")
            length = 0
            for line in lines:
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if length:
                self.hash = hashlib.sha256(rest[:length])
                self.body = length - len(rest[:length])
                self.buffer = rest[length:]
                if not self.body:
                    self.answer(self.hash.hexdigest().encode())
                continue
            size = int(head.split(b" ")[1].strip(b"/") or 0)
            if size > 1 << 20:
                self.task = asyncio.ensure_future(self.stream(size))
            else:
                self.answer(bytes((size + i) % 256 for i in range(16)) * (size // 16) + b"x" * (size
                % 16))

    def answer(self, body):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) +
        body)

    async def stream(self, size):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
        while size:
            await self.writable.wait()
            part = BLOCK[:size]
            size -= len(part)
            self.transport.write(part)

async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


def pattern(size: int) -> bytes:
    """What the server answers to ``/size``."""
    return bytes((size + i) % 256 for i in range(16)) * (size // 16) + b"x" * (size % 16)


class Client:
    """One connection that asks one request after the other and checks every octet."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered = 0
        self.closedByServer = 0

    async def run(self, sizes: list[int], stop: asyncio.Event | None = None) -> None:
        """Ask for each of ``sizes``; connect again when the server says that it closes.

        :param stop: end quietly once it is set and no connection can be made.
        """
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for size in sizes:
            if connection is None:
                try:
                    connection = await asyncio.open_connection("127.0.0.1", self.port)
                except (ConnectionRefusedError, ConnectionResetError):
                    # Reset: nobody has accepted it before the listener was closed.
                    if stop is not None and stop.is_set():
                        return
                    raise
            reader, writer = connection
            writer.write(b"GET /%d HTTP/1.1\r\nHost: load\r\n\r\n" % size)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 OK\r\n"):
                raise AssertionError(head)
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            if await reader.readexactly(length) != pattern(size):
                raise AssertionError(f"wrong octets in the answer to /{size}")
            self.answered += 1
            if b"Connection: close" in head:
                self.closedByServer += 1
                writer.close()
                connection = None
        if connection is not None:
            connection[1].close()


class LoadTests(SynchronousTestCase):
    """A daemon in front of a fast server."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="mosntx-load-")
        self.addCleanup(directory.cleanup)
        script = Path(directory.name, "server.py")
        script.write_text(SERVER)
        upstream = freePort()
        server = Running([sys.executable, str(script), str(upstream)], upstream)
        self.addCleanup(server.stop)
        self.port = freePort()
        self.daemon = Daemon(proxyConfig(self.port, [upstream]), self.port)
        self.addCleanup(self.daemon.stop, signal.SIGKILL)

    def test_everyOctetOfTenThousandAnswers(self) -> None:
        """10 000 requests over 64 connections, every octet compared."""
        clients = [Client(self.port) for _ in range(64)]
        sizes = [(i * 37) % 3000 for i in range(157)]

        async def run() -> None:
            await asyncio.gather(*[client.run(sizes) for client in clients])

        asyncio.run(run())
        self.assertEqual(sum(client.answered for client in clients), 64 * 157)

    def test_sigtermLosesNothing(self) -> None:
        """SIGTERM under load.

        Every request that was sent is answered, then the process ends with 0.
        """
        clients = [Client(self.port) for _ in range(32)]

        async def run() -> None:
            stop = asyncio.Event()

            async def terminate() -> None:
                while sum(client.answered for client in clients) < 2000:
                    await asyncio.sleep(0.01)
                stop.set()
                self.daemon.kill(signal.SIGTERM)

            loads = [client.run([100] * 100_000, stop) for client in clients]
            await asyncio.gather(terminate(), *loads)

        asyncio.run(run())
        self.assertEqual(self.daemon.wait(), 0)
        self.assertEqual(sum(client.closedByServer for client in clients), 32)

    def test_gigabyteDownNeedsLittleMemory(self) -> None:
        """1 GiB down keeps memory within 32 MiB of idle."""
        size = 1 << 30
        before = self.daemon.residentKiB()
        most = 0
        got = 0
        with socket.create_connection(("127.0.0.1", self.port), 30) as client:
            client.sendall(b"GET /%d HTTP/1.1\r\nHost: load\r\n\r\n" % size)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            while got < size:
                part = client.recv(1 << 20)
                self.assertTrue(part, f"ended after {got} octets")
                got += len(part)
                if got >> 26 != (got - len(part)) >> 26:
                    most = max(most, self.daemon.residentKiB())
        self.assertEqual(got, size)
        self.assertLess(most - before, 32 * 1024)

    def test_gigabyteUpNeedsLittleMemory(self) -> None:
        """The same for an upload; the upstream gets every octet."""
        block = bytes(range(256)) * 4096
        blocks = (1 << 30) // len(block)
        before = self.daemon.residentKiB()
        most = 0
        digest = hashlib.sha256()
        with socket.create_connection(("127.0.0.1", self.port), 60) as client:
            client.sendall(
                b"POST / HTTP/1.1\r\nHost: load\r\nContent-Length: %d\r\n\r\n" % (1 << 30)
            )
            for number in range(blocks):
                client.sendall(block)
                digest.update(block)
                if number % 64 == 0:
                    most = max(most, self.daemon.residentKiB())
            answer = b""
            while not answer.endswith(digest.hexdigest().encode()):
                part = client.recv(1000)
                self.assertTrue(part, answer)
                answer += part
        self.assertLess(most - before, 32 * 1024)
