"""What a route looks at: the matchers, and an index over long runs of plain path rules.

A matcher is asked ``matches(head, path)`` with the path of `paths.matchPath`, which is empty for
requests of RPC protocols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mosntx.config.patterns import Pattern
from mosntx.config.schema import HeaderMatch, Match, VariableMatch
from mosntx.contracts.message import IRequestHead
from mosntx.router.actions import Route
from mosntx.router.variables import HeadVariable, headVariable

#: A run of plain path rules shorter than this is faster one by one.
INDEX_FROM = 4


class Condition(Protocol):
    """One thing that must be true of a request head."""

    def holds(self, head: IRequestHead) -> bool:
        """Whether it is."""


class HeaderEquals:
    """The first value of a header is exactly this."""

    __slots__ = ("_lower", "_name", "_value")

    def __init__(self, name: str, value: str) -> None:
        self._name = name.encode("utf-8")
        self._lower = self._name.lower()
        self._value = value.encode("utf-8")

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`. HTTP compares names in any case, RPC as they are."""
        value: bytes | None = head.headers.get(self._lower if head.path else self._name)
        return value == self._value


class HeaderFound:
    """A pattern is found in the first value of a header."""

    __slots__ = ("_lower", "_name", "_pattern")

    def __init__(self, name: str, pattern: str) -> None:
        self._name = name.encode("utf-8")
        self._lower = self._name.lower()
        self._pattern = Pattern(pattern)

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        value = head.headers.get(self._lower if head.path else self._name)
        return value is not None and self._pattern.search(value)


class MethodEquals:
    """The request's method is exactly this."""

    __slots__ = ("_method",)

    def __init__(self, method: str) -> None:
        self._method = method.encode("utf-8")

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        method: bytes = head.method
        return method == self._method


def _condition(config: HeaderMatch, pseudo: bool) -> Condition:
    """:param pseudo: ``method`` means the method (spec/router.md 4.1; not in RPC rules)."""
    if not config.name:
        raise ValueError("a header without a name can never be present")
    if pseudo and config.name == "method":
        return MethodEquals(config.value)
    return (HeaderFound if config.regex else HeaderEquals)(config.name, config.value)


class _Matcher:
    """The conditions that most kinds of rules have besides their own."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: Sequence[Condition] = ()) -> None:
        self.conditions = tuple(conditions)

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """Whether all conditions hold."""
        for condition in self.conditions:  # noqa: SIM110 - a generator per request costs more
            if not condition.holds(head):
                return False
        return True


class HeadersMatcher(_Matcher):
    """Headers only, also without any: the rule for RPC protocols, which HTTP may use too."""

    __slots__ = ()


class PrefixMatcher(_Matcher):
    """The path begins with a text, wherever its segments end."""

    __slots__ = ("prefix",)

    def __init__(self, prefix: str, conditions: Sequence[Condition] = ()) -> None:
        super().__init__(conditions)
        self.prefix = prefix.encode("utf-8")

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """See `Matcher.matches`."""
        return path.startswith(self.prefix) and super().matches(head, path)


class PathMatcher(_Matcher):
    """The path is a text, in any case."""

    __slots__ = ("lower",)

    def __init__(self, path: str, conditions: Sequence[Condition] = ()) -> None:
        super().__init__(conditions)
        self.lower = path.encode("utf-8").lower()

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """See `Matcher.matches`."""
        return path.lower() == self.lower and super().matches(head, path)


class RegexMatcher(_Matcher):
    """A pattern is found in the path."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: str, conditions: Sequence[Condition] = ()) -> None:
        super().__init__(conditions)
        self._pattern = Pattern(pattern)

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """See `Matcher.matches`."""
        return bool(path) and self._pattern.search(path) and super().matches(head, path)


class ServiceMatcher:
    """One header called ``service``: the fast rule of RPC (MOSN pkg/router/rpc_rule.go)."""

    __slots__ = ("_any", "_service")

    def __init__(self, service: str) -> None:
        """:param service: the service, or ``.*`` for any. No pattern otherwise."""
        self._any = service == ".*"
        self._service = service.encode("utf-8")

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """See `Matcher.matches`."""
        service = head.service
        return bool(service) and (self._any or service == self._service)


class _VariableItem:
    """One variable and what it must be."""

    __slots__ = ("_pattern", "_read", "_value")

    def __init__(self, config: VariableMatch) -> None:
        read = headVariable(config.name)
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

    def __init__(self, items: Sequence[VariableMatch]) -> None:
        groups: list[list[_VariableItem]] = [[]]
        for item in items:
            model = item.model.lower() or "and"
            if model not in ("and", "or"):
                raise ValueError(f"variables are joined by 'and' or 'or', not by {item.model!r}")
            groups[-1].append(_VariableItem(item))
            if model == "or":
                groups.append([])
        self._groups = tuple(tuple(group) for group in groups if group)

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """See `Matcher.matches`."""
        return any(all(item.holds(head) for item in group) for group in self._groups)


#: The kinds that look at the path; virtual hosts without any need not decode it.
PATH_MATCHERS = (PrefixMatcher, PathMatcher, RegexMatcher)


class Matcher(Protocol):
    """What decides whether a rule is for a request."""

    def matches(self, head: IRequestHead, path: bytes) -> bool:
        """Whether it is; ``path`` is normalised, and empty for RPC."""


def compileMatch(match: Match) -> Matcher:
    """Return the matcher of a route: of the first kind that is given (spec/router.md 3).

    :raises ValueError: when it can never work, or needs what is not built.
    """
    kind = match.kind
    if kind == "variables":
        return VariablesMatcher(match.variables)
    if kind == "dsl":
        raise ValueError("routes with dsl_expressions are not supported yet")
    if kind == "headers":
        if len(match.headers) == 1 and match.headers[0].name == "service":
            return ServiceMatcher(match.headers[0].value)
        return HeadersMatcher([_condition(header, pseudo=False) for header in match.headers])
    conditions = [_condition(header, pseudo=True) for header in match.headers]
    if kind == "prefix":
        return PrefixMatcher(match.prefix, conditions)
    if kind == "path":
        return PathMatcher(match.path, conditions)
    return RegexMatcher(match.regex, conditions)


class Step(Protocol):
    """A part of a virtual host's rules, asked in order."""

    def find(self, head: IRequestHead, path: bytes) -> Route | None:
        """Return the first route of this part that matches."""


class Rule:
    """One route and its matcher."""

    __slots__ = ("matcher", "route")

    def __init__(self, matcher: Matcher, route: Route) -> None:
        self.matcher = matcher
        self.route = route

    @property
    def plain(self) -> bool:
        """The path alone decides, so the rule can be part of a `PathIndex`."""
        matcher = self.matcher
        return isinstance(matcher, PrefixMatcher | PathMatcher) and not matcher.conditions

    def find(self, head: IRequestHead, path: bytes) -> Route | None:
        """See `Step.find`."""
        return self.route if self.matcher.matches(head, path) else None


class PathIndex:
    """A run of plain prefix and path rules, found without trying them one by one.

    The cost grows with the number of different lengths of prefixes, not with the number of rules.
    """

    __slots__ = ("_exact", "_prefixes", "_routes")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._routes = tuple(rule.route for rule in rules)
        self._exact: dict[bytes, int] = {}
        prefixes: dict[int, dict[bytes, int]] = {}
        for number, rule in enumerate(rules):
            matcher = rule.matcher
            if isinstance(matcher, PathMatcher):
                self._exact.setdefault(matcher.lower, number)
            elif isinstance(matcher, PrefixMatcher):
                length = len(matcher.prefix)
                prefixes.setdefault(length, {}).setdefault(matcher.prefix, number)
        #: ``(length, lowest number of this length, prefix -> number)``, short ones first.
        self._prefixes = tuple(
            (length, min(table.values()), table) for length, table in sorted(prefixes.items())
        )

    def find(self, head: IRequestHead, path: bytes) -> Route | None:
        """See `Step.find`."""
        if not path:
            return None
        routes = self._routes
        none = len(routes)
        best = self._exact.get(path.lower(), none)
        size = len(path)
        for length, lowest, table in self._prefixes:
            if length > size:
                break
            if lowest < best:
                number = table.get(path[:length], none)
                if number < best:
                    best = number
        return None if best == none else routes[best]


def compileSteps(rules: Sequence[Rule]) -> tuple[Step, ...]:
    """Return the steps that find the first matching rule; runs of plain rules become an index."""
    steps: list[Step] = []
    run: list[Rule] = []
    for rule in rules:
        if rule.plain:
            run.append(rule)
            continue
        steps.extend(_joined(run))
        run = []
        steps.append(rule)
    steps.extend(_joined(run))
    return tuple(steps)


def _joined(run: list[Rule]) -> Sequence[Step]:
    return run if len(run) < INDEX_FROM else [PathIndex(run)]
