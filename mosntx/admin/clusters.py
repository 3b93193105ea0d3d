"""Clusters and hosts at run time: ``/api/v1/clusters``, ``update_cluster`` and others.

MOSN has no such endpoints but in its debug build (``/debug/update_config``). These change where
requests go, so only clients on this machine may use them, whatever address the API is bound to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final

import attrs
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.web.server import Request

from mosntx.admin.endpoint import JSON, Answer, Endpoint, PostEndpoint, body, jsonError, parameters
from mosntx.config.problems import ConfigError
from mosntx.upstream.clusters import FoundHostsError, UnknownClusterError

#: Octets of an update: some ten thousand hosts with metadata.
UPDATE_LIMIT: Final = 4 << 20


@attrs.frozen(kw_only=True)
class ClusterView:
    """What the API may see and do: the methods of `mosntx.service.updates.ClusterUpdates`.

    The functions that change something raise `ConfigError`, `UnknownClusterError` and
    `FoundHostsError`, and have changed nothing then.
    """

    list: Callable[[], Sequence[Mapping[str, Any]]]
    update: Callable[[str], object]
    remove: Callable[[Iterable[str]], object]
    updateHosts: Callable[[str, Any], object]
    appendHosts: Callable[[str, Any], object]
    removeHosts: Callable[[str, Any], object]


class ClustersEndpoint(Endpoint):
    """All clusters, or ``?name=…`` alone."""

    def __init__(self, view: ClusterView) -> None:
        super().__init__()
        self._view = view

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        wanted = parameters(request).get("name")
        found = list(self._view.list())
        if wanted:
            name = wanted[0]
            found = [cluster for cluster in found if cluster["name"] == name]
            if not found:
                return jsonError(404, f"there is no cluster {name!r}")
        return Answer(json.dumps(found, indent=1, ensure_ascii=False), 200, JSON)


class _ChangeEndpoint(PostEndpoint):
    """One kind of change.

    :param word: what it does, for the answer.
    """

    def __init__(self, word: str, change: Callable[[str], object]) -> None:
        super().__init__()
        self._word = word
        self._change = change

    def answer(self, request: Request) -> Answer:
        """See `Endpoint.answer`."""
        if not isLocal(request.getClientAddress()):
            return jsonError(403, "only clients on this machine may change clusters")
        octets = body(request, UPDATE_LIMIT)
        if octets is None:
            return jsonError(413, f"the update has more than {UPDATE_LIMIT} octets")
        try:
            self._change(octets.decode("utf-8"))
        except UnicodeDecodeError:
            return jsonError(400, "the update is not UTF-8")
        except UnknownClusterError as error:
            return jsonError(404, str(error))
        except (ConfigError, FoundHostsError, _UpdateError) as error:
            return jsonError(400, str(error))
        return Answer(f"{self._word} success\n")


def clusterEndpoints(view: ClusterView) -> dict[bytes, Endpoint]:
    """Return the endpoints by path."""

    def remove(text: str) -> None:
        view.remove(_texts(_object(text), "names"))

    def hosts(change: Callable[[str, Any], object], key: str) -> Callable[[str], None]:
        def changed(text: str) -> None:
            wanted = _object(text)
            items = _texts(wanted, key) if key == "addresses" else _list(wanted, key)
            change(_text(wanted, "cluster"), items)

        return changed

    changes = {
        "update_cluster": view.update,
        "remove_clusters": remove,
        "update_hosts": hosts(view.updateHosts, "hosts"),
        "append_hosts": hosts(view.appendHosts, "hosts"),
        "remove_hosts": hosts(view.removeHosts, "addresses"),
    }
    endpoints: dict[bytes, Endpoint] = {
        f"/api/v1/{name}".encode("ascii"): _ChangeEndpoint(name.replace("_", " "), change)
        for name, change in changes.items()
    }
    return {b"/api/v1/clusters": ClustersEndpoint(view), **endpoints}


def isLocal(address: object) -> bool:
    """Say whether a client is on this machine."""
    if isinstance(address, UNIXAddress):
        return True
    if not isinstance(address, IPv4Address | IPv6Address):
        return False
    found = ip_address(address.host.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


class _UpdateError(ValueError):
    """An update has the wrong shape."""


def _object(text: str) -> Mapping[str, Any]:
    try:
        wanted = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _UpdateError(f"this is not JSON: {error}") from None
    if not isinstance(wanted, dict):
        raise _UpdateError("the update must be an object")
    return wanted


def _text(wanted: Mapping[str, Any], key: str) -> str:
    value = wanted.get(key)
    if not isinstance(value, str):
        raise _UpdateError(f"{key!r} must be a text")
    return value


def _list(wanted: Mapping[str, Any], key: str) -> list[Any]:
    value = wanted.get(key)
    if not isinstance(value, list):
        raise _UpdateError(f"{key!r} must be a list")
    return value


def _texts(wanted: Mapping[str, Any], key: str) -> list[str]:
    value = _list(wanted, key)
    if not all(isinstance(each, str) for each in value):
        raise _UpdateError(f"{key!r} must be a list of texts")
    return value
