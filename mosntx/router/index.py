"""Finding the first rule of a virtual host that matches, without trying them one by one.

Order is everything: what is found is what trying each rule in turn would find. The index only
leaves out rules that cannot match, by the path or the service that they want.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol

from mosntx.contracts.message import IRequestHead
from mosntx.router.actions import Route
from mosntx.router.routes import HeadersMatcher, Matcher, PathMatcher, PrefixMatcher, ServiceMatcher

#: Fewer rules than this are faster one by one.
INDEX_FROM = 4

#: Numbers of rules, ascending.
Numbers = tuple[int, ...]


class Rule:
    """One route and its matcher."""

    __slots__ = ("matcher", "route")

    def __init__(self, matcher: Matcher, route: Route) -> None:
        self.matcher = matcher
        self.route = route

    @property
    def plain(self) -> bool:
        """What the index looks at decides alone."""
        matcher = self.matcher
        if isinstance(matcher, PrefixMatcher | PathMatcher | HeadersMatcher):
            return not matcher.conditions
        return isinstance(matcher, ServiceMatcher) and bool(matcher.service)


class Search(Protocol):
    """How a virtual host finds its route."""

    def find(self, head: IRequestHead, path: bytes, source: str = "") -> Route | None:
        """Return the first route that matches; arguments as of `Matcher.matches`."""


class LinearSearch:
    """Tries one rule after the other."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)

    def find(self, head: IRequestHead, path: bytes, source: str = "") -> Route | None:
        """See `Search.find`."""
        for rule in self._rules:
            if rule.matcher.matches(head, path, source):
                return rule.route
        return None


class _Prefixes:
    """Which rules' prefixes a path begins with.

    The largest prefix that sorts before a path begins with every prefix of that path, so all that
    match are this one or in the chain of what it begins with itself. One binary search finds it.
    """

    __slots__ = ("_candidates", "_shorter", "_sorted")

    def __init__(self, found: dict[bytes, list[int]], plain: Sequence[bool]) -> None:
        self._sorted = sorted(found)
        #: The place of the longest other prefix that a prefix begins with; -1 for none.
        self._shorter: list[int] = []
        #: The rules of a prefix and of all that it begins with.
        self._candidates: list[Numbers] = []
        chain: list[int] = []
        for place, prefix in enumerate(self._sorted):
            while chain and not prefix.startswith(self._sorted[chain[-1]]):
                chain.pop()
            shorter = chain[-1] if chain else -1
            inherited = self._candidates[shorter] if chain else ()
            self._shorter.append(shorter)
            self._candidates.append(_reachable((*inherited, *found[prefix]), plain))
            chain.append(place)

    def __bool__(self) -> bool:
        return bool(self._sorted)

    def find(self, path: bytes) -> Numbers:
        """Return the rules whose prefixes ``path`` begins with."""
        place = bisect_right(self._sorted, path) - 1
        while place >= 0:
            if path.startswith(self._sorted[place]):
                return self._candidates[place]
            place = self._shorter[place]
        return ()


class RuleIndex:
    """Rules by what they want: a path, a prefix, a service, or something else."""

    __slots__ = ("_exact", "_folded", "_others", "_plain", "_prefixes", "_rules", "_services")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        plain = self._plain = tuple(rule.plain for rule in rules)
        exact: dict[bytes, list[int]] = {}
        prefixes: dict[bytes, list[int]] = {}
        folded: dict[bytes, list[int]] = {}
        services: dict[bytes, list[int]] = {}
        others = []
        for number, rule in enumerate(rules):
            matcher = rule.matcher
            if isinstance(matcher, PathMatcher):
                exact.setdefault(matcher.lower, []).append(number)
            elif isinstance(matcher, PrefixMatcher):
                table = folded if matcher.folds else prefixes
                table.setdefault(matcher.prefix, []).append(number)
            elif isinstance(matcher, ServiceMatcher) and matcher.service:
                services.setdefault(matcher.service, []).append(number)
            else:
                others.append(number)
        self._exact = {key: _reachable(found, plain) for key, found in exact.items()}
        self._services = {key: _reachable(found, plain) for key, found in services.items()}
        self._prefixes = _Prefixes(prefixes, plain)
        self._folded = _Prefixes(folded, plain)
        self._others = tuple(others)

    def find(self, head: IRequestHead, path: bytes, source: str = "") -> Route | None:
        """See `Search.find`."""
        rules, plain = self._rules, self._plain
        for number in self._candidates(head, path):
            rule = rules[number]
            if plain[number] or rule.matcher.matches(head, path, source):
                return rule.route
        return None

    def _candidates(self, head: IRequestHead, path: bytes) -> Iterable[int]:
        """The rules that may match, ascending. Several sources are rare."""
        numbers: Numbers = ()
        if path:
            numbers = self._prefixes.find(path)
            if self._exact or self._folded:
                lower = path.lower()
                exact = self._exact.get(lower)
                if exact is not None:
                    numbers = _merged(numbers, exact)
                if self._folded:
                    numbers = _merged(numbers, self._folded.find(lower))
        if self._services:
            service = self._services.get(head.service)
            if service is not None:
                numbers = _merged(numbers, service)
        others = self._others
        if others:
            if numbers and self._plain[numbers[0]]:  # nobody asks those after it
                others = others[: bisect_left(others, numbers[0])]
            numbers = _merged(numbers, others)
        return numbers


def _merged(first: Numbers, second: Numbers) -> Numbers:
    if not first or not second:
        return first or second
    return tuple(sorted(first + second))


def _reachable(numbers: Iterable[int], plain: Sequence[bool]) -> Numbers:
    """The numbers, ascending, up to the first whose rule always matches."""
    kept = []
    for number in sorted(numbers):
        kept.append(number)
        if plain[number]:
            break
    return tuple(kept)


def compileSearch(rules: Sequence[Rule]) -> Search:
    """Return what finds the first matching rule."""
    return LinearSearch(rules) if len(rules) < INDEX_FROM else RuleIndex(rules)
