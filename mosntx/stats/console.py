"""The format of ``/api/v1/stats``: type, namespace, key, value, all of them strings.

Source: spec/admin-observability.md 4.2 (MOSN pkg/metrics/sink/console).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from mosntx.contracts.stats import Sample
from mosntx.stats.scope import Labels

#: Type, namespace, key, value.
Tree = dict[str, dict[str, dict[str, str]]]


def namespace(labels: Labels) -> str:
    """Return labels as one word, for example ``cluster.c.host.127.0.0.1:8080``."""
    return ".".join(f"{name}.{value}" for name, value in labels)


def tree(
    samples: Iterable[Sample], name: str | None = None
) -> dict[str, dict[str, dict[str, str]]]:
    """Return samples as ``type -> namespace -> key -> value``; values are decimal integers.

    :param name: take only the scope called ``<type>.<namespace>``.
    """
    found: Tree = {}
    spaces: dict[tuple[str, Labels], dict[str, str] | None] = {}
    for type_, labels, key, _, value in samples:
        scope = (type_, labels)
        if scope not in spaces:
            space = namespace(labels)
            wanted = name is None or name == (f"{type_}.{space}" if space else type_)
            spaces[scope] = found.setdefault(type_, {}).setdefault(space, {}) if wanted else None
        values = spaces[scope]
        if values is not None:
            values[key] = str(int(value))
    return found


def render(samples: Iterable[Sample], name: str | None = None) -> str | None:
    """Return samples as JSON indented by tabs, ``None`` when there is no scope called ``name``."""
    found = tree(samples, name)
    if name is not None and not found:
        return None
    return json.dumps(found, indent="\t", ensure_ascii=False) + "\n"
