"""What is counted in memory: things of a configuration, and exchanges in flight.

Each function makes so many of a thing in a Sidecar without sockets, and returns what holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.hotpath.peers import config
from bench.hotpath.scenes import REQUEST, RESPONSE, Bolt, Http2, Http2Slow, Scene
from bench.memory.allocated import allocated
from mosntx.testing.mesh import MemoryMesh, Peer

#: Where the id stands in a frame of Bolt v1.
_ID = slice(5, 9)

Grow = Callable[[int], object]


def _host(number: int) -> dict[str, str]:
    return {"address": f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}:2047"}


def hosts(number: int, balancer: str = "LB_ROUNDROBIN") -> MemoryMesh:
    """Make a cluster with many hosts that nobody has asked yet."""
    document = config("Http1")
    (cluster,) = document["cluster_manager"]["clusters"]
    cluster.update(hosts=[_host(each) for each in range(number)], lb_type=balancer)
    return MemoryMesh(document)


def usedHosts(number: int) -> MemoryMesh:
    """Make hosts that have answered a request each, and whose connection is closed again."""
    mesh = hosts(number)
    for _ in range(number):
        client = mesh.client("in")
        client.send(REQUEST)
        host = mesh.upstream()
        host.send(RESPONSE)
        client.reset()
        host.reset()
    mesh.advance(0)
    _forget(mesh)
    return mesh


def _forget(mesh: MemoryMesh) -> None:
    """Let go what the mesh remembers of its peers, for a test to look at."""
    mesh.peers.clear()
    mesh.reactor.tcpClients.clear()
    mesh.reactor.connectors.clear()


def clusters(number: int) -> MemoryMesh:
    """Make clusters with one host each."""
    document = config("Http1")
    manager = document["cluster_manager"]
    (first,) = manager["clusters"]
    manager["clusters"] += [
        {**first, "name": f"cluster-{each}", "hosts": [_host(each)]} for each in range(number)
    ]
    return MemoryMesh(document)


def routes(number: int, kind: str = "prefix") -> MemoryMesh:
    """Make routes of one virtual host."""
    document = config("Http1")
    (host,) = document["servers"][0]["routers"][0]["virtual_hosts"]
    host["routers"] = [
        {"match": {kind: f"/service/{each}/"}, "route": {"cluster_name": "c"}}
        for each in range(number)
    ]
    return MemoryMesh(document)


def virtualHosts(number: int) -> MemoryMesh:
    """Make virtual hosts with one domain and one route each."""
    document = config("Http1")
    (router,) = document["servers"][0]["routers"]
    (first,) = router["virtual_hosts"]
    router["virtual_hosts"] += [
        {**first, "name": f"host-{each}", "domains": [f"host-{each}.example.com"]}
        for each in range(number)
    ]
    return MemoryMesh(document)


def listeners(number: int) -> MemoryMesh:
    """Make listeners that share a router."""
    document = config("Http1")
    (server,) = document["servers"]
    (first,) = server["listeners"]
    server["listeners"] += [
        {**first, "name": f"in-{each}", "address": f"127.0.0.1:{10000 + each}"}
        for each in range(number)
    ]
    return MemoryMesh(document)


def streams(make: Callable[[], Scene], number: int) -> Scene:
    """Let streams of one HTTP/2 connection be in flight."""
    scene = make()
    for _ in range(number):
        scene.ask(Peer.send)
    _written(scene)
    return scene


def calls(number: int) -> Scene:
    """Let calls of one Bolt connection be in flight."""
    scene = Bolt()
    frame = bytearray(scene.frame)
    for each in range(number):
        frame[_ID] = (each + 1).to_bytes(4, "big")
        scene.client.send(bytes(frame))
    _written(scene)
    return scene


def _written(scene: Scene) -> None:
    """Throw away what the host was sent: it is no longer in the Sidecar.

    :raises AssertionError: when it was sent nothing.
    """
    if not scene.host.take():
        raise AssertionError("the host has got no request")


def requests(number: int) -> tuple[MemoryMesh, int]:
    """Let each of many clients of HTTP/1.1 have a request in flight.

    Connections are there already, on both sides, and have served a request.

    :returns: what holds them, and the octets that the requests have taken.
    """
    mesh = MemoryMesh(config("Http1"))
    clients = [mesh.client("in") for _ in range(number)]
    for client in clients:
        client.send(REQUEST)
    # All of them before the first answer: a connection that is free would be taken by the next one.
    for host in [mesh.upstream() for _ in clients]:
        host.send(RESPONSE)
    for peer in mesh.peers:
        peer.take()
    before = allocated()
    for client in clients:
        client.send(REQUEST)
    for peer in mesh.peers:
        peer.take()
    return mesh, allocated() - before


#: Name -> what makes it, and two numbers of things: of few, and of many. Streams stay below the
#: limit of a connection, and clients below that of requests that wait for a connection.
THINGS: dict[str, tuple[Grow, int, int]] = {
    "call in flight, Bolt": (calls, 100, 1100),
    "stream in flight, HTTP/2, ngh2": (partial(streams, Http2), 20, 90),
    "stream in flight, HTTP/2, h2": (partial(streams, Http2Slow), 20, 90),
    "host, not asked yet": (hosts, 200, 1200),
    "host that was asked, its connection closed": (usedHosts, 100, 600),
    "cluster with one host": (clusters, 50, 250),
    "route by prefix": (routes, 100, 1100),
    "route by path": (partial(routes, kind="path"), 100, 1100),
    "virtual host with one route": (virtualHosts, 100, 600),
    "listener": (listeners, 50, 250),
}
#: Clients of `requests`.
CLIENTS = 500
#: Its name in the table.
REQUESTS = "request in flight, HTTP/1.1"
