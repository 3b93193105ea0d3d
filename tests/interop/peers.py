"""Starts other implementations of SOFARPC as clients and servers.

anthunder comes from this environment; the Node packages are installed once into a cache folder
outside of the checkout (``MOSNTX_INTEROP_CACHE``, else below ``~/.cache``). A test that needs what
is not here is skipped and says why.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from twisted.trial.unittest import SkipTest

from tests.system.daemon import Running

FOLDER = Path(__file__).parent
PACKAGES = FOLDER / "node" / "package.json"
#: Seconds an answer to a command may take: 1 000 calls of up to 1 MiB on a busy machine.
PATIENCE = 120.0
#: Seconds npm may take.
INSTALL = 180.0

ANTHUNDER, BOLT_NODE, RPC_NODE = "anthunder", "sofa-bolt-node", "sofa-rpc-node"
#: The versions of Bolt a Node peer can speak; anthunder speaks the first one only.
V1, V2, V2_CRC = "v1", "v2", "v2+crc"
PROTOBUF, HESSIAN = "protobuf", "hessian2"

_SCRIPTS = {
    (BOLT_NODE, "client"): "bolt_client.js",
    (BOLT_NODE, "server"): "bolt_server.js",
    (RPC_NODE, "client"): "rpc_client.js",
    (RPC_NODE, "server"): "rpc_server.js",
}


@functools.cache
def nodeProblem() -> str:
    """Return why the Node peers cannot be used, empty when they can.

    The first call installs them.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    folder = _cache()
    if folder.is_dir():
        return ""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="new-") as made:
            problem = _install(Path(made))
            if not problem and not folder.is_dir():
                # Whole or not at all: another run may be doing the same.
                Path(made).rename(folder)
                Path(made).mkdir()
    except OSError as error:
        # Another run may have been faster.
        return "" if folder.is_dir() else f"{folder.parent}: {error}"
    return problem


def _cache() -> Path:
    """Return the folder for exactly these packages on this machine."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mosntx-interop")
    root = Path(os.environ.get("MOSNTX_INTEROP_CACHE") or usual)
    return root / hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:16]


def _install(folder: Path) -> str:
    """Install the packages, each by name and version; return why that failed."""
    (folder / "package.json").write_text('{"private": true}\n')
    wanted = json.loads(PACKAGES.read_text())["dependencies"]
    words = [f"{name}@{version}" for name, version in wanted.items()]
    options = [
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--fetch-retries=1",
        "--fetch-retry-mintimeout=1000",
        "--fetch-timeout=30000",
    ]
    try:
        done = subprocess.run(
            ["npm", "install", *options, *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=INSTALL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"npm install takes longer than {INSTALL:.0f} s"
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines()
        errors = [line for line in lines if line.startswith(("npm error", "npm ERR!"))]
        return f"npm install failed: {'; '.join(errors[:3]) or done.returncode}"
    return ""


def require(*names: str) -> None:
    """Skip the test when one of these implementations cannot be had.

    :raises SkipTest: with the reason.
    """
    if ANTHUNDER in names and importlib.util.find_spec("anthunder") is None:
        raise SkipTest("anthunder is not installed: pip install anthunder")
    if {BOLT_NODE, RPC_NODE} & set(names) and nodeProblem():
        raise SkipTest(f"{' and '.join(names)}: {nodeProblem()}")


def _program(name: str, role: str) -> list[str]:
    """Return the beginning of a peer's command line."""
    if name == ANTHUNDER:
        return [sys.executable, str(FOLDER / "anthunder_peer.py"), role]
    where = f"NODE_PATH={_cache() / 'node_modules'}"
    return ["env", where, "node", str(FOLDER / "node" / _SCRIPTS[name, role])]


def startServer(name: str, port: int, *options: str) -> Running:
    """Start a server that answers each call with its own payload.

    It prints a line for each heartbeat, and for each call that it is asked to hold for a while.
    """
    return Running([*_program(name, "server"), str(port), *options], port)


class Client:
    """A client, a process of its own that is told what to do.

    :param version: of Bolt.
    :param codec: how contents are encoded.
    :param options: further words of its command line.
    """

    def __init__(self, name: str, port: int, version: str, codec: str, *options: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed in stop)
        self._rest = b""
        self._process = subprocess.Popen(
            [*_program(name, "client"), str(port), version, codec, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
        )
        try:
            self.hear()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *ignored: object) -> None:
        """End."""
        self.stop()

    def tell(self, **command: Any) -> None:
        """Give a command; `hear` returns what came out."""
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps(command).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        """Return the next line of the client.

        :raises AssertionError: when none comes in time.
        """
        stdout = self._process.stdout
        assert stdout is not None
        while b"\n" not in self._rest:
            ready, _, _ = select.select([stdout], [], [], PATIENCE)
            octets = os.read(stdout.fileno(), 1 << 16) if ready else b""
            if not octets:
                why = "has ended" if ready else f"says nothing for {PATIENCE:.0f} s"
                raise AssertionError(f"the client {why}:\n{self.log}")
            self._rest += octets
        line, _, self._rest = self._rest.partition(b"\n")
        result: dict[str, Any] = json.loads(line)
        return result

    def ask(self, **command: Any) -> dict[str, Any]:
        """Give a command and return what came out."""
        self.tell(**command)
        return self.hear()

    @property
    def log(self) -> str:
        """The end of what the client wrote to its log."""
        return os.pread(self._log.fileno(), 1 << 20, 0).decode("utf-8", "replace")[-2000:]

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()
