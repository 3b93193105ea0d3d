"""Cross-checks of router configurations: domains, patterns, redirects, weights (spec/router.md)."""

from __future__ import annotations

import re
from typing import Final

from mosntx.config.checking import Checking
from mosntx.config.expressions.compiler import checkExpression
from mosntx.config.nodes import quote
from mosntx.config.schema import HeaderMatch, Match, Route, RouterConfig

REDIRECT_CODES: Final = (301, 302, 303, 307, 308)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9.+-]*")
LOWEST_STATUS: Final = 200
HIGHEST_STATUS: Final = 599
MAX_PATTERN: Final = 10_000
"""Characters of a pattern."""


def checkRoutes(check: Checking) -> None:
    """Everything about router configurations but the names of clusters."""
    for router in check.config.server.routers:
        checkDomains(check, router)
    for route in check.routes():
        checkMatch(check, route)
        checkAnswer(check, route)
        checkWeights(check, route)
        checkRewrite(check, route)


def splitDomain(domain: str) -> tuple[str, str]:
    """Host and port of a domain of a virtual host; "" for no port.

    :raises ValueError: when it cannot be matched against any host.
    """
    domain = domain.lower()
    if not domain:
        raise ValueError("is empty")
    if ":" not in domain:
        host, port = domain, ""
    elif domain.startswith("["):
        host, bracket, port = domain[1:].partition("]:")
        if not bracket:
            raise ValueError("needs the form [address]:port")
    elif domain.count(":") > 1:
        raise ValueError("has several colons; an IPv6 address needs the form [address]:port")
    else:
        host, _, port = domain.partition(":")
    if "*" in host[1:]:
        raise ValueError("has a '*' that is not at the beginning")
    if not host and not port:
        raise ValueError("has neither host nor port")
    return host, port


def checkDomains(check: Checking, router: RouterConfig) -> None:
    """No domain twice in one router configuration, and none that is malformed."""
    seen: dict[tuple[str, str], str] = {}
    for host in router.virtual_hosts:
        where = f"{host.path}.domains"
        if not host.domains and not check.failedWithin(where):
            check.warning(host.path, "has no 'domains' and is never used", 'add "domains": ["*"]')
        for index, domain in enumerate(host.domains):
            path = f"{where}[{index}]"
            try:
                name, port = splitDomain(domain)
            except ValueError as error:
                check.error(
                    path, f"domain {quote(domain)} {error}", "write 'name', '*.name' or '*'"
                )
                continue
            key = ("*", "") if name == "*" and port in ("", "*") else (name, port)
            if key in seen:
                message = f"duplicate domain {quote(domain)}: also in {check.place(seen[key])}"
                check.error(path, message, "remove one of them")
            seen.setdefault(key, path)
    if not router.virtual_hosts and not check.failedWithin(router.path):
        check.warning(router.path, "has no virtual hosts: every request is answered with 404")


def patternProblem(pattern: str) -> str:
    """What is wrong with an RE2 pattern, or ""."""
    import re2  # only files with patterns need the library

    if len(pattern) > MAX_PATTERN:
        return f"more than {MAX_PATTERN} characters"
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return ""


def _checkPattern(check: Checking, path: str, pattern: str) -> None:
    problem = patternProblem(pattern)
    if problem:
        fix = "patterns are RE2: no look-around, no back-references"
        check.error(path, f"bad pattern {quote(pattern)}: {problem}", fix)


def checkMatch(check: Checking, route: Route) -> None:
    """Patterns of the rule that counts, and items that never match."""
    match, path = route.match, f"{route.path}.match"
    if match.kind == "regex":
        _checkPattern(check, f"{path}.regex", match.regex)
    if match.kind == "variables":
        for variable in match.variables:
            if variable.regex:
                _checkPattern(check, f"{variable.path}.regex", variable.regex)
            elif not variable.value:
                check.warning(variable.path, "has neither 'value' nor 'regex' and never matches")
        return
    if match.kind == "dsl":
        for expression in match.dsl_expressions:
            problem = checkExpression(expression.expression)
            if problem:
                check.error(f"{expression.path}.expression", problem)
        return
    if match.ignore_case and match.kind != "prefix":
        message = "has no effect without 'prefix'"
        check.warning(f"{path}.ignore_case", message, "'path' ignores case; in 'regex' write (?i)")
    for item in match.conditions:
        exact = item.present or (isinstance(item, HeaderMatch) and _isExact(match, item))
        if item.regex and not exact:
            _checkPattern(check, f"{item.path}.value", item.value)


def _isExact(match: Match, header: HeaderMatch) -> bool:
    """Whether MOSN compares this header as text although ``regex`` is set."""
    if match.kind == "headers":
        alone = len(match.headers) == 1 and not (match.query_parameters or match.cookies)
        return alone and header.name == "service" and not header.invert
    return header.name == "method"


def checkAnswer(check: Checking, route: Route) -> None:
    """Statuses and schemes of routes that answer themselves, and routes that do nothing."""
    answer, redirect, action = route.direct_response, route.redirect, route.route
    if answer is not None and not LOWEST_STATUS <= answer.status <= HIGHEST_STATUS:
        message = f"{answer.status} is no status of an answer"
        fix = f"use one from {LOWEST_STATUS} to {HIGHEST_STATUS}"
        check.error(f"{answer.path}.status", message, fix)
    if redirect is not None:
        if redirect.response_code not in REDIRECT_CODES:
            message = f"{redirect.response_code} is no status of a redirect"
            fix = "allowed: " + ", ".join(map(str, REDIRECT_CODES))
            check.error(f"{redirect.path}.response_code", message, fix)
        scheme = redirect.scheme_redirect
        if scheme and not _SCHEME.fullmatch(scheme.lower()):
            check.error(f"{redirect.path}.scheme_redirect", f"{quote(scheme)} is no scheme")
    target = action is not None and bool(
        action.cluster_name or action.cluster_variable or action.weighted_clusters
    )
    if not (answer or redirect or target) and not check.failedWithin(route.path):
        message = "leads nowhere: requests are answered with 404"
        fix = "add 'route' with 'cluster_name', 'direct_response' or 'redirect'"
        check.warning(route.path, message, fix)


def checkWeights(check: Checking, route: Route) -> None:
    """Some weight must be above 0; a cluster may come again only with other metadata."""
    weighted = route.route.weighted_clusters if route.route is not None else ()
    if not weighted:
        return
    where = f"{route.path}.route.weighted_clusters"
    if not sum(item.weight for item in weighted) and not check.failedWithin(where):
        check.error(where, "the sum of all weights is 0", "give at least one 'weight' above 0")
    seen: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for item in weighted:
        target = item.name, frozenset(item.metadata_match.items())
        if target in seen:
            check.warning(
                f"{item.path}.cluster.name", f"cluster {quote(item.name)} is listed twice"
            )
        seen.add(target)


def checkRewrite(check: Checking, route: Route) -> None:
    """The pattern of a rewrite."""
    rewrite = route.route.regex_rewrite if route.route is not None else None
    if route.route is None or rewrite is None:
        return
    if route.route.prefix_rewrite:
        message = "has no effect beside 'prefix_rewrite'"
        check.warning(f"{route.path}.route.regex_rewrite", message, "remove one of them")
    else:
        _checkPattern(check, f"{rewrite.path}.pattern.regex", rewrite.pattern.regex)
