"""Files and directories -> nodes."""

from __future__ import annotations

import os
from typing import Final

from mosntx.config.jsontext import readJson
from mosntx.config.nodes import MAX_FILE_SIZE, ConfigSyntaxError, Mark, Node, ScalarNode
from mosntx.config.report import Report
from mosntx.config.yamltext import readYaml

YAML_SUFFIXES: Final = (".yaml", ".yml")
SUFFIXES: Final = (".json", *YAML_SUFFIXES)
"""Names of files that count in a directory."""
JSON: Final = "json"
YAML: Final = "yaml"
MAX_FILES: Final = 100_000
"""Files of one directory; more is a wrong directory."""


def readFile(path: str) -> str:
    """The text of a file.

    :raises ConfigSyntaxError: when it is missing, unreadable, too large or not UTF-8.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        raise ConfigSyntaxError(f"cannot be read: {error.strerror or error}", 0, 0) from None
    except ValueError as error:  # a zero octet in the name
        raise ConfigSyntaxError(f"cannot be read: {error}", 0, 0) from None
    if len(raw) > MAX_FILE_SIZE:
        raise ConfigSyntaxError(f"is larger than {MAX_FILE_SIZE >> 20} MiB", 0, 0)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        start = raw.rfind(b"\n", 0, error.start) + 1
        column = len(raw[start : error.start].decode("utf-8", "replace")) + 1
        raise ConfigSyntaxError(
            f"is not UTF-8: octet 0x{raw[error.start]:02x}", line, column
        ) from None


def readText(text: str, name: str, report: Report, format: str | None = None) -> Node:
    """The tree of a text: JSON when it is JSON, else YAML (spec rule L2).

    :param format: ``json``, ``yaml`` or None to go by the name.
    :raises ConfigSyntaxError: when it is neither, with the mistake of the likelier one.
    """
    if len(text) > MAX_FILE_SIZE:
        raise ConfigSyntaxError(f"is larger than {MAX_FILE_SIZE >> 20} MiB", 0, 0)
    text = text.removeprefix("\ufeff")
    if format is None:
        format = YAML if name.lower().endswith(YAML_SUFFIXES) else JSON
    bracketed = text.lstrip()[:1] in ("{", "[")
    if format == YAML and not bracketed:
        return readYaml(text, name)
    try:
        return readJson(text, name)
    except ConfigSyntaxError as error:
        try:
            node = readYaml(text, name)
        except ConfigSyntaxError as other:
            raise (error if bracketed else other) from None
        if format == JSON and bracketed:
            message = f"this is not JSON: {error.message}"
            mark = Mark(name, error.line, error.column)
            report.warning(mark, "", message, "correct it; it is read as YAML for now")
        return node


def readDirectory(report: Report, directory: str, mark: Mark, path: str) -> list[Node]:
    """One tree per configuration file of a directory, by name; empty files are left out.

    :param directory: relative to the working directory, as in MOSN.
    :param mark: the place and :param path: the path of the key that names it.
    """
    try:
        names = sorted(n for n in os.listdir(directory) if n.lower().endswith(SUFFIXES))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        fix = f"the path is relative to {os.getcwd()}"
        report.error(mark, path, f"directory '{directory}' cannot be read: {reason}", fix)
        return []
    nodes: list[Node] = []
    for name in names[:MAX_FILES]:
        file = os.path.join(directory, name)
        report.file(file)
        try:
            text = readFile(file)
            if text.strip():
                nodes.append(readText(text, file, report))
        except ConfigSyntaxError as error:
            report.error(Mark(file, error.line, error.column), "", error.message)
    return [node for node in nodes if not (isinstance(node, ScalarNode) and node.value is None)]
