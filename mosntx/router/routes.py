"""What a route looks at: one matcher for each kind of rule (spec/router.md 3 to 5).

A matcher is asked ``matches(head, path, source)`` with the path as its virtual host sees it
(`mosntx.router.paths.PathForm`), which is empty for requests of RPC protocols, and the client's
address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mosntx.config.patterns import Pattern
from mosntx.config.schema import Match, VariableMatch
from mosntx.contracts.message import IRequestHead
from mosntx.router.conditions import Condition, compileConditions
from mosntx.router.expressions import ExpressionsMatcher
from mosntx.router.paths import DECODING, PathForm
from mosntx.router.variables import HeadVariable, headVariable


class ConditionsMatcher:
    """The conditions that most kinds of rules have besides their own."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: Sequence[Condition] = ()) -> None:
        self.conditions = tuple(conditions)

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """Whether all conditions hold."""
        for condition in self.conditions:  # noqa: SIM110 - a generator per request costs more
            if not condition.holds(head):
                return False
        return True


class HeadersMatcher(ConditionsMatcher):
    """Headers only, also without any: the rule for RPC protocols, which HTTP may use too."""

    __slots__ = ()


class PrefixMatcher(ConditionsMatcher):
    """The path begins with a text, wherever its segments end.

    :ivar folds: in any case; ``prefix`` is in lower case then.
    """

    __slots__ = ("folds", "prefix")

    def __init__(
        self, prefix: str, conditions: Sequence[Condition] = (), folds: bool = False
    ) -> None:
        super().__init__(conditions)
        octets = prefix.encode("utf-8")
        self.prefix = octets.lower() if folds else octets
        self.folds = folds

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """See `Matcher.matches`."""
        seen = path.lower() if self.folds else path
        return seen.startswith(self.prefix) and super().matches(head, path)


class PathMatcher(ConditionsMatcher):
    """The path is a text, in any case."""

    __slots__ = ("lower",)

    def __init__(self, path: str, conditions: Sequence[Condition] = ()) -> None:
        super().__init__(conditions)
        self.lower = path.encode("utf-8").lower()

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """See `Matcher.matches`."""
        return path.lower() == self.lower and super().matches(head, path)


class RegexMatcher(ConditionsMatcher):
    """A pattern is found in the path."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: str, conditions: Sequence[Condition] = ()) -> None:
        super().__init__(conditions)
        self._pattern = Pattern(pattern)

    def finds(self, path: bytes) -> bool:
        """Whether the pattern is in a path; the conditions are not looked at."""
        return self._pattern.search(path)

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """See `Matcher.matches`."""
        return bool(path) and self._pattern.search(path) and super().matches(head, path)


class ServiceMatcher:
    """One header called ``service``: the fast rule of RPC (MOSN pkg/router/rpc_rule.go).

    :ivar service: the service; ``None`` for any.
    """

    __slots__ = ("service",)

    def __init__(self, service: str) -> None:
        """:param service: the service, or ``.*`` for any. No pattern otherwise."""
        self.service = None if service == ".*" else service.encode("utf-8")

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """See `Matcher.matches`."""
        service = head.service
        return bool(service) and (self.service is None or service == self.service)


class _VariableItem:
    """One variable and what it must be."""

    __slots__ = ("_pattern", "_read", "_value")

    def __init__(self, config: VariableMatch, form: PathForm) -> None:
        read = headVariable(config.name, form)
        if read is None:
            raise ValueError(f"no variable {config.name!r} is known when a route is chosen")
        self._read: HeadVariable = read
        self._pattern = Pattern(config.regex) if config.regex else None
        self._value = config.value.encode("utf-8")

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`. A variable that is not set is empty text."""
        value = self._read(head) or b""
        if self._pattern is not None:
            return self._pattern.search(value)
        return bool(self._value) and value == self._value


class VariablesMatcher:
    """Groups of variables: one group must hold as a whole (spec/router.md 5)."""

    __slots__ = ("_groups",)

    def __init__(self, items: Sequence[VariableMatch], form: PathForm = DECODING) -> None:
        groups: list[list[_VariableItem]] = [[]]
        for item in items:
            model = item.model.lower() or "and"
            if model not in ("and", "or"):
                raise ValueError(f"variables are joined by 'and' or 'or', not by {item.model!r}")
            groups[-1].append(_VariableItem(item, form))
            if model == "or":
                groups.append([])
        self._groups = tuple(tuple(group) for group in groups if group)

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """See `Matcher.matches`."""
        return any(all(item.holds(head) for item in group) for group in self._groups)


#: The kinds that look at the path; virtual hosts without any need not decode it.
PATH_MATCHERS = (PrefixMatcher, PathMatcher, RegexMatcher, ExpressionsMatcher)


class Matcher(Protocol):
    """What decides whether a rule is for a request."""

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """Whether it is.

        :param path: as the virtual host sees it; empty for RPC.
        :param source: the client's ``ip:port``, or the path of its unix socket.
        """


def _isService(match: Match) -> bool:
    """Whether this is the fast rule: a ``service``, nothing else, and nothing new about it."""
    if len(match.headers) != 1 or match.query_parameters or match.cookies:
        return False
    only = match.headers[0]
    return only.name == "service" and not only.present and not only.invert


def compileMatch(match: Match, form: PathForm = DECODING) -> Matcher:
    """Return the matcher of a route: of the first kind that is given (spec/router.md 3).

    :raises ValueError: when it can never work.
    """
    kind = match.kind
    if kind == "variables":
        return VariablesMatcher(match.variables, form)
    if kind == "dsl":
        return ExpressionsMatcher(match.dsl_expressions)
    if kind == "headers":
        if _isService(match):
            return ServiceMatcher(match.headers[0].value)
        return HeadersMatcher(compileConditions(match, pseudo=False))
    conditions = compileConditions(match, pseudo=True)
    if kind == "prefix":
        return PrefixMatcher(match.prefix, conditions, match.ignore_case)
    if kind == "path":
        return PathMatcher(match.path, conditions)
    return RegexMatcher(match.regex, conditions)
