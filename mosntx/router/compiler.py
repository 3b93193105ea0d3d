"""From a router configuration to a `Router`: all that can be known is worked out here, once."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from mosntx.config.schema import DirectResponse, RouteAction, RouterConfig
from mosntx.config.schema import Route as RouteConfig
from mosntx.config.schema import VirtualHost as VirtualHostConfig
from mosntx.router.actions import Route, compileSplit, criteria, directResponse, redirect
from mosntx.router.errors import Problems
from mosntx.router.index import Rule
from mosntx.router.paths import PATH_FORMS
from mosntx.router.policies import compileHash, compileRetries, settleTimeouts
from mosntx.router.rewrites import compileRequestRewrite, compileResponseRewrite
from mosntx.router.routes import compileMatch
from mosntx.router.variables import Variables, headVariable
from mosntx.router.virtualhosts import DomainTable, Router, VirtualHost


def compileRouter(
    config: RouterConfig,
    *,
    random: Random,
    variables: Variables | None = None,
    compat: bool = False,
) -> Router:
    """Return the router that a configuration describes.

    :param random: chooses among weighted clusters.
    :param variables: what values of added headers may name.
    :param compat: keep MOSN's oddities where there is a choice (`compileRetries`).
    :raises mosntx.router.errors.RouterConfigError: with all mistakes.
    """
    path = config.path or f"router {config.router_config_name!r}"
    compiler = _Compiler(config, random, variables or Variables(), compat)
    domains = DomainTable()
    virtualHosts = []
    for number, virtualHost in enumerate(config.virtual_hosts):
        where = virtualHost.path or f"{path}.virtual_hosts[{number}]"
        compiled = compiler.virtualHost(virtualHost, number, where)
        virtualHosts.append(compiled)
        for place, domain in enumerate(virtualHost.domains):
            with compiler.problems.at(f"{where}.domains[{place}]"):
                domains.add(domain, compiled)
    if not virtualHosts:
        with compiler.problems.at(path):
            raise ValueError("a router without virtual hosts answers every request with 404")
    compiler.problems.check()
    refusal = compiler.refusal(f"{path}.encoded_slash") if compiler.form.refuses else None
    return Router(config.router_config_name, virtualHosts, domains, compiler.form, refusal)


class _Compiler:
    """What all routes of one router have in common."""

    def __init__(
        self, config: RouterConfig, random: Random, variables: Variables, compat: bool
    ) -> None:
        self.problems = Problems()
        self._config = config
        self._random = random
        self._variables = variables
        self._compat = compat
        #: How paths are seen.
        self.form = PATH_FORMS[config.encoded_slash]

    def refusal(self, path: str) -> Route:
        """Return the route of requests whose path is refused."""
        answer = DirectResponse(status=400, body="an encoded slash in the path\n")
        return self._rule(RouteConfig(direct_response=answer), VirtualHostConfig(), path).route

    def virtualHost(self, config: VirtualHostConfig, number: int, path: str) -> VirtualHost:
        """Return one virtual host, without the routes that have mistakes."""
        rules = []
        for place, route in enumerate(config.routers):
            where = route.path or f"{path}.routers[{place}]"
            with self.problems.at(where):
                rules.append(self._rule(route, config, where))
        return VirtualHost(config.name, number, path, rules, self.form)

    def _rule(self, config: RouteConfig, virtualHost: VirtualHostConfig, path: str) -> Rule:
        """One route. Mistakes of its parts are noted one by one, so all of them get known."""
        problems = Problems()
        route = Route()
        matcher = None
        with problems.at(f"{path}.match"):
            matcher = compileMatch(config.match, self.form)
        with problems.at(
            f"{path}.{'redirect' if config.direct_response is None else 'direct_response'}"
        ):
            self._answer(route, config)
        with problems.at(f"{path}.route"):
            self._action(route, config, virtualHost)
        problems.check()
        assert matcher is not None  # or a problem was noted
        route.path = path
        route.config = config
        route.filterConfig = {**virtualHost.per_filter_config, **config.per_filter_config}
        if route.split is not None:
            for variant in route.split.entries:
                variant.path = path
                variant.config = config
                variant.filterConfig = route.filterConfig
        return Rule(matcher, route)

    def _answer(self, route: Route, config: RouteConfig) -> None:
        """A direct response beats a redirect, which beats a cluster (spec/router.md 6)."""
        route.localReply = None
        if config.direct_response is not None:
            route.localReply = directResponse(config.direct_response)
        elif config.redirect is not None:
            route.localReply = redirect(config.redirect, self.form)

    def _action(self, route: Route, config: RouteConfig, virtualHost: VirtualHostConfig) -> None:
        action = config.route
        outer: Sequence[VirtualHostConfig | RouterConfig] = (virtualHost, self._config)
        route.rewriteRequest = compileRequestRewrite(
            action, config.match, outer, self._variables, self.form
        )
        route.rewriteResponse = compileResponseRewrite(action, outer, self._variables)
        policy = config.request_mirror_policies
        route.mirror = None
        if policy is not None and policy.cluster and policy.percent:
            route.mirror = policy.cluster, policy.percent
        self._target(route, action or RouteAction())

    def _target(self, route: Route, action: RouteAction) -> None:
        retries = action.retry_policy
        route.retryPolicy = compileRetries(retries, self._compat)
        perTry = 0.0 if retries is None else retries.retry_timeout
        route.timeout, route.tryTimeout = settleTimeouts(action.timeout, perTry)
        route.hash = compileHash(action.hash_policy)
        route.upstreamProtocol = action.upstream_protocol
        route.allowConnect = action.allow_connect
        route.maxBody = action.max_body
        route.metadataMatch = criteria(action.metadata_match)
        route.cluster = action.cluster_name
        route.variable = None
        route.split = None
        if action.weighted_clusters:
            route.split = compileSplit(route, action.weighted_clusters, self._random)
            if route.split is None and not action.cluster_name:
                raise ValueError("the weights of weighted_clusters sum up to 0")
        elif action.cluster_variable and not action.cluster_name:
            route.variable = headVariable(action.cluster_variable, self.form)
            if route.variable is None:
                raise ValueError(
                    f"cluster_variable: no variable {action.cluster_variable!r} is known when a"
                    " route is chosen"
                )
