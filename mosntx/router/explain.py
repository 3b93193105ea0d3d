"""Why a request gets the route that it gets, and why not the others.

The matchers that serve are asked, one rule after the other; only the words are made here.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from mosntx.config.schema import CookieMatch, HeaderMatch, Match, QueryMatch
from mosntx.config.schema.match import ValueMatch
from mosntx.contracts.message import IRequestHead
from mosntx.router.actions import Route
from mosntx.router.conditions import headerReader
from mosntx.router.expressions import ExpressionsMatcher
from mosntx.router.routes import (
    ConditionsMatcher,
    PathMatcher,
    PrefixMatcher,
    RegexMatcher,
    ServiceMatcher,
)
from mosntx.router.variables import cookieValue, queryValue
from mosntx.router.virtualhosts import Router, VirtualHost

#: Octets of a value that are shown.
MAX_SHOWN = 80


@frozen
class TriedRoute:
    """One rule that was looked at.

    :ivar path: where the route stands in the configuration.
    :ivar why: what does not hold, or that all does.
    """

    path: str
    matches: bool
    why: str


@frozen
class RouteExplanation:
    """How a route was found.

    :ivar virtualHost: where it stands in the configuration, ``""`` without one.
    :ivar name: of the virtual host.
    :ivar why: how the virtual host was found, or why there is none.
    :ivar tried: rules up to the one that matches.
    :ivar route: what the router says; of weighted clusters, the rule's own.
    """

    virtualHost: str
    name: str
    why: str
    tried: tuple[TriedRoute, ...]
    route: Route | None


def explainRoute(router: Router | None, head: IRequestHead, source: str) -> RouteExplanation:
    """Explain the choice of a router.

    :param source: the client's ``ip:port``.
    """
    if router is None:
        return RouteExplanation("", "", "the listener's router does not exist", (), None)
    refusal = router.refuses(head)
    if refusal is not None:
        return RouteExplanation("", "", "an encoded slash in the path is refused", (), refusal)
    host = router.virtualHost(head.authority)
    if host is None:
        return RouteExplanation("", "", _noVirtualHost(router, head), (), None)
    tried = []
    path = host.seenPath(head)
    for rule in host.rules:
        matches = bool(rule.matcher.matches(head, path, source))
        match = rule.route.config.match
        why = "matches" if matches else _whyNot(rule.matcher, match, head, path)
        tried.append(TriedRoute(rule.route.path, matches, why))
        if matches:
            return _explained(router, host, head, tried, rule.route)
    return _explained(router, host, head, tried, None)


def _explained(
    router: Router,
    host: VirtualHost,
    head: IRequestHead,
    tried: list[TriedRoute],
    route: Route | None,
) -> RouteExplanation:
    if len(router.virtualHosts) == 1 and router.default is host:
        why = "the only virtual host, for all domains"
    elif router.default is host:
        why = f"no other domain is {_shown(head.authority)}, so the default domain *"
    else:
        why = f"its domain is for {_shown(head.authority)}"
    return RouteExplanation(host.path, host.name, why, tuple(tried), route)


def _noVirtualHost(router: Router, head: IRequestHead) -> str:
    if not head.authority:
        return (
            "the request names no host, and there are other domains than *"
            if router.default is not None
            else "the request names no host, and no domain is *"
        )
    return f"no domain is for {_shown(head.authority)}, and none is *"


def _whyNot(matcher: Any, match: Match, head: IRequestHead, path: bytes) -> str:
    """Say the first thing that does not hold."""
    if isinstance(matcher, ServiceMatcher):
        if not head.service:
            return "the request has no service"
        return f"the service is {_shown(head.service)}, not {match.headers[0].value!r}"
    own = _pathFails(matcher, match, path)
    if own:
        return own
    if isinstance(matcher, ConditionsMatcher):
        for item, condition in zip(match.conditions, matcher.conditions, strict=True):
            if not condition.holds(head):
                return _conditionFails(item, match, head)
    if isinstance(matcher, ExpressionsMatcher):
        return "a dsl_expression is not true: " + " && ".join(
            each.expression for each in match.dsl_expressions
        )
    return "no group of variables is as asked"


def _pathFails(matcher: Any, match: Match, path: bytes) -> str:
    if not isinstance(matcher, PrefixMatcher | PathMatcher | RegexMatcher):
        return ""
    if not path:
        return "the request has no path"
    seen = path.lower()
    if isinstance(matcher, PrefixMatcher):
        folded = seen if matcher.folds else path
        if folded.startswith(matcher.prefix):
            return ""
        return f"the path {_shown(path)} does not begin with {match.prefix!r}"
    if isinstance(matcher, PathMatcher):
        return "" if seen == matcher.lower else f"the path {_shown(path)} is not {match.path!r}"
    return "" if matcher.finds(path) else f"{match.regex!r} is not found in {_shown(path)}"


def _conditionFails(item: ValueMatch, match: Match, head: IRequestHead) -> str:
    kind, value = _valueOf(item, match, head)
    what = f"{kind} {item.name!r}"
    has = f"{what} is {_shown(value)}" if value is not None else f"{what} is absent"
    if item.invert:
        return f"{has}, which the route does not want"
    if value is None:
        return has
    return f"{has}, not {'like ' if item.regex else ''}{item.value!r}"


def _valueOf(item: ValueMatch, match: Match, head: IRequestHead) -> tuple[str, bytes | None]:
    name = item.name.encode("utf-8")
    if isinstance(item, QueryMatch):
        return "query parameter", queryValue(head, name)
    if isinstance(item, CookieMatch):
        return "cookie", cookieValue(head, name)
    assert isinstance(item, HeaderMatch)
    if item.name == "method" and match.kind != "headers":
        return "the", head.method
    return "header", headerReader(item.name)(head)


def _shown(value: bytes) -> str:
    text = value[:MAX_SHOWN].decode("utf-8", "replace")
    return repr(text) if len(value) <= MAX_SHOWN else f"{text!r}…"
