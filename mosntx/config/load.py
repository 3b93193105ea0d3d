"""Reading a configuration: text -> nodes -> schema objects -> cross-checks.

Nothing here opens a port or starts anything. Relative paths are relative to the working directory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from mosntx.config.checking import nearestMark
from mosntx.config.checks import checkConfig
from mosntx.config.decode import Decoder, Failed
from mosntx.config.files import readFile, readText
from mosntx.config.filterspecs import FILTER_SPECIALS
from mosntx.config.names import Names
from mosntx.config.nodes import ConfigSyntaxError, MapNode, Mark, Node, ScalarNode, fromPython
from mosntx.config.problems import ERROR, ConfigError, Problem
from mosntx.config.protocols import OLD_STYLE, isOldStyle
from mosntx.config.report import Report
from mosntx.config.resolve import HOOKS, MORE_SPECIALS
from mosntx.config.schema import Config
from mosntx.config.specials import SPECIALS

T = TypeVar("T")
MAPPING_NAME = "<mapping>"
"""Stands for the file in problems of Python mappings."""


@attrs.frozen
class Loaded:
    """A configuration that can be used."""

    config: Config
    problems: tuple[Problem, ...]
    """Warnings and what is not yet supported, in file order."""
    _positions: Mapping[str, Mark] = attrs.field(factory=dict, eq=False, repr=False)

    def position(self, path: str) -> tuple[str, int, int]:
        """Where a configuration path is written, or the nearest part of it that is.

        :param path: such as ``servers[0].listeners[2].address``.
        :returns: file, line and column; line and column are 0 when there is no text.
        """
        mark = nearestMark(self._positions, path)
        return mark.file, mark.line, mark.column


def loadFile(path: str, names: Names, strict: bool = False) -> Loaded:
    """Read a configuration file, JSON or YAML.

    :param names: what this build knows.
    :param strict: unknown keys, and names that MOSN would skip, are errors.
    :raises ConfigError: with everything found, when anything found is an error.
    """
    try:
        text = readFile(path)
    except ConfigSyntaxError as error:
        raise onlyProblem(path, error) from None
    return loadText(text, path, names, strict)


def loadText(
    text: str, name: str, names: Names, strict: bool = False, format: str | None = None
) -> Loaded:
    """Read a configuration from text.

    :param name: stands for the file in problems; ends in ``.yaml`` or ``.yml`` for YAML.
    :param format: ``json`` or ``yaml``, whatever the name.
    :raises ConfigError: see `loadFile`.
    """
    report = Report(strict)
    report.file(name)
    try:
        node = readText(text, name, report, format)
    except ConfigSyntaxError as error:
        raise onlyProblem(name, error) from None
    return loadNode(node, names, report)


def loadMapping(obj: Mapping[str, Any], names: Names, strict: bool = False) -> Loaded:
    """Read a configuration from Python objects: mappings, sequences, text, numbers, booleans, None.

    :raises ConfigError: see `loadFile`; its problems have no lines.
    """
    try:
        node = fromPython(obj, MAPPING_NAME)
    except ConfigSyntaxError as error:
        raise onlyProblem(MAPPING_NAME, error) from None
    return loadNode(node, names, Report(strict))


def decodeValue(cls: type[T], node: Node, path: str, names: Names, strict: bool = False) -> T:
    """Read one object, such as the settings of a filter, with positions and all problems.

    :param cls: an attrs class.
    :param path: the configuration path of the node.
    :raises ConfigError: with everything found, when anything found is an error.
    """
    report = Report(strict)
    decoder = makeDecoder(names, report)
    value = decoder.object(cls, node, path)
    if report.errors or isinstance(value, Failed):
        raise ConfigError(report.problems())
    return value


def decodeMapping(
    cls: type[T], obj: Mapping[str, Any], path: str = "config", names: Names | None = None
) -> T:
    """Read one object from Python objects; for tests of filters, and for configuration by code.

    :raises ConfigError: see `decodeValue`.
    """
    try:
        node = fromPython(obj, MAPPING_NAME)
    except ConfigSyntaxError as error:
        raise onlyProblem(MAPPING_NAME, error) from None
    return decodeValue(cls, node, path, names or Names())


def makeDecoder(names: Names, report: Report) -> Decoder:
    """Return a decoder that knows all values with a syntax of their own."""
    return Decoder(names, report, {**SPECIALS, **FILTER_SPECIALS, **MORE_SPECIALS}, HOOKS)


def loadNode(node: Node, names: Names, report: Report) -> Loaded:
    """Read a whole configuration from a tree.

    :raises ConfigError: see `loadFile`.
    """
    decoder = makeDecoder(names, report)
    if isinstance(node, ScalarNode) and node.value is None:
        report.error(node.mark, "", "the configuration is empty")
    elif not isinstance(node, MapNode):
        decoder.wrongType(node, "", "an object")
    else:
        decoder.notes[OLD_STYLE] = isOldStyle(node)
        config = decoder.object(Config, node, "")
        if not isinstance(config, Failed):
            checkConfig(config, decoder)
            if not report.errors:
                return Loaded(config, report.problems(), decoder.positions)
    raise ConfigError(report.problems())


def onlyProblem(name: str, error: ConfigSyntaxError) -> ConfigError:
    """Return the error of a file that cannot be read at all."""
    return ConfigError([Problem(ERROR, name, error.line, error.column, "", error.message)])
