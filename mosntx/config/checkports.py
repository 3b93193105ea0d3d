"""Whether the addresses of a configuration can be opened: the only check that makes sockets."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from typing import Final

from mosntx.config.address import Address, parseAddress
from mosntx.config.problems import ERROR, Problem
from mosntx.config.schema import Config, PrometheusSink

Position = Callable[[str], tuple[str, int, int]]
"""Such as `Loaded.position`."""
CONNECT_TIMEOUT: Final = 1.0
"""Seconds to wait for the owner of a unix socket; a full backlog means that it is alive."""
ANY_ADDRESS: Final = "0.0.0.0"


def checkPorts(config: Config, position: Position | None = None) -> list[Problem]:
    """Try to bind every address that the configuration opens, and let it go at once.

    Blocks for the look-up of host names; do not call it in a running reactor.

    :param position: finds lines for the problems; without it they have none.
    """
    problems = []
    for path, address, reuse in _addresses(config):
        reason = _tryUnix(address.path) if address.network == "unix" else _tryBind(address, reuse)
        if reason:
            file, line, column = position(path) if position else ("", 0, 0)
            text = address.path or f"{address.host}:{address.port}"
            message = f"cannot listen on {text}: {reason}"
            fix = "stop what uses it, or choose another address" if "in use" in reason else ""
            problems.append(Problem(ERROR, file, line, column, path, message, fix))
    return problems


def _addresses(config: Config) -> Iterator[tuple[str, Address, bool]]:
    """Path, address, and whether several processes may share it."""
    for listener in config.server.listeners:
        if listener.bind_port:
            address = parseAddress(listener.address, listener.network)
            yield f"{listener.path}.address", address, listener.reuseport
    if config.admin is not None:
        path = "admin.address.socket_address.port_value"
        yield path, Address("tcp", config.admin.host, config.admin.port), False
    if config.registry is not None:
        address = Address("tcp", config.registry.address, config.registry.port_value)
        yield "registry.port_value", address, False
    for sink in config.metrics.sinks:
        if isinstance(sink.config, PrometheusSink):
            yield f"{sink.path}.config.port", Address("tcp", ANY_ADDRESS, sink.config.port), False


def _tryBind(address: Address, reuse: bool) -> str:
    """Why an address cannot be bound, or ""."""
    kind = socket.SOCK_DGRAM if address.network == "udp" else socket.SOCK_STREAM
    try:
        found = socket.getaddrinfo(
            address.host or ANY_ADDRESS, address.port, type=kind, flags=socket.AI_PASSIVE
        )
        family, _, _, _, place = found[0]
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind(place)
    except OSError as error:
        return _reason(error)
    return ""


def _tryUnix(path: str) -> str:
    """Why a unix socket cannot be opened, or "". A socket file that nobody answers at is fine."""
    name = "\0" + path[1:] if path.startswith("@") else path
    if not path.startswith("@"):
        try:
            if not stat.S_ISSOCK(os.stat(path).st_mode):
                return "the file exists and is no socket"
        except FileNotFoundError:
            folder = os.path.dirname(path) or "."
            return "" if os.access(folder, os.W_OK) else f"cannot create files in {folder}"
        except OSError as error:
            return _reason(error)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_TIMEOUT)
        try:
            probe.connect(name)
        except (ConnectionRefusedError, FileNotFoundError):
            return ""
        except (TimeoutError, BlockingIOError):
            return "address already in use"
        except OSError as error:
            return _reason(error)
    return "address already in use"


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "address already in use"
    return (error.strerror or str(error)).lower()
