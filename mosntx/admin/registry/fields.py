"""The JSON objects of requests, read as Go would read them into its structs."""

from __future__ import annotations

import json
from typing import Any, Final

from mosntx.admin.registry.view import RegistryError

#: Characters of a service's name: it becomes the name of a cluster, and of statistics.
MAX_NAME: Final = 512
MAX_PORT: Final = 65535


class Fields:
    """The object of a request. As in Go, keys match in any case, and unknown ones are ignored.

    :raises ValueError: when it is no JSON object, or too long.
    """

    def __init__(self, octets: bytes | None) -> None:
        found = json.loads(octets or b"")
        self._found = _folded(found)

    def text(self, key: str) -> str:
        """:raises ValueError: when it is another kind of value."""
        value = self._found.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise ValueError(f"{key} is no text")
        return value

    def flag(self, key: str) -> bool:
        """:raises ValueError: when it is another kind of value."""
        value = self._found.get(key)
        if value is not None and not isinstance(value, bool):
            raise ValueError(f"{key} is neither true nor false")
        return bool(value)

    def inner(self, key: str) -> Fields:
        """Return an object inside this one, empty when it is missing.

        :raises ValueError: when it is no object.
        """
        inner = Fields(b"{}")
        value = self._found.get(key)
        if value is not None:
            inner._found = _folded(value)
        return inner

    def port(self) -> int:
        """Return the port, which anthunder sends as text; 0 without one.

        :raises RegistryError: when it is none.
        """
        value = self._found.get("port")
        text = str(value) if type(value) is int else value
        if text is None or text == "":
            return 0
        if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10:
            number = int(text)
            if 0 < number <= MAX_PORT:
                return number
        raise RegistryError("The port of the service must be a number from 1 to 65535.")

    def service(self) -> str:
        """Return the name of the service.

        :raises RegistryError: when there is none, or it cannot name a cluster.
        """
        name = self.text("servicename")
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise RegistryError(f"The serviceName must be 1 to {MAX_NAME} printable characters.")
        return name


def _folded(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return {key.lower(): value for key, value in found.items()}
