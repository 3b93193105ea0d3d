"""Which requests a route is for (MOSN pkg/config/v2/route.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeAlias

import attrs

from mosntx.config.schema.base import Located, option


@attrs.frozen(kw_only=True)
class HeaderMatch(Located):
    """One header that a request must have."""

    name: str = option("Name of the header; `method` is the request's method for path rules.")
    value: str = option("The value it must have.", default="")
    regex: bool = option("`value` is a pattern to be found in the header.", default=False)
    present: bool = option(
        "It must be there, with any value; `value` does not count. mosntx only.", default=False
    )
    invert: bool = option("The request must not have it so. mosntx only.", default=False)


@attrs.frozen(kw_only=True)
class QueryMatch(Located):
    """One query parameter that a request must have. mosntx only."""

    name: str = option("Name of the parameter, decoded.")
    value: str = option("The value, decoded, that the first of this name must have.", default="")
    regex: bool = option("`value` is a pattern to be found in the parameter.", default=False)
    present: bool = option("It must be there, with any value or none.", default=False)
    invert: bool = option("The request must not have it so.", default=False)


@attrs.frozen(kw_only=True)
class CookieMatch(Located):
    """One cookie that a request must have. mosntx only."""

    name: str = option("Name of the cookie.")
    value: str = option("The value that the first of this name must have.", default="")
    regex: bool = option("`value` is a pattern to be found in the cookie.", default=False)
    present: bool = option("It must be there, with any value.", default=False)
    invert: bool = option("The request must not have it so.", default=False)


#: What may be asked of a request besides its path.
ValueMatch: TypeAlias = HeaderMatch | QueryMatch | CookieMatch


@attrs.frozen(kw_only=True)
class VariableMatch(Located):
    """One variable that a request must have."""

    name: str = option("Name of the variable.")
    value: str = option("The value it must have.", default="")
    regex: str = option("A pattern to be found in the variable; wins over `value`.", default="")
    model: str = option(
        "How this item is joined with the next one.",
        default="and",
        choices=("and", "or"),
        fold=True,
    )


@attrs.frozen(kw_only=True)
class DslExpression(Located):
    """One expression that must be true for the request."""

    expression: str = option("The expression.", default="")


@attrs.frozen(kw_only=True)
class Match:
    """Which requests a route is for. One kind of rule, the first of these that is given."""

    prefix: str = option("The path begins with this text.", default="")
    path: str = option("The path is this text, in any case.", default="")
    regex: str = option("A pattern to be found in the path.", default="")
    ignore_case: bool = option("`prefix` matches in any case. mosntx only.", default=False)
    headers: tuple[HeaderMatch, ...] = option("Headers that the request must all have.", default=())
    query_parameters: tuple[QueryMatch, ...] = option(
        "Query parameters that the request must all have, besides path and headers. mosntx only.",
        default=(),
    )
    cookies: tuple[CookieMatch, ...] = option(
        "Cookies that the request must all have, besides path and headers. mosntx only.",
        default=(),
    )
    variables: tuple[VariableMatch, ...] = option(
        "Variables that the request must have.", default=(), feature="variables"
    )
    dsl_expressions: tuple[DslExpression, ...] = option(
        "Expressions that must all be true.", default=(), feature="dsl"
    )

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {
        "case_sensitive": "Never had an effect.",
        "runtime": "Never had an effect.",
    }

    @property
    def conditions(self) -> tuple[ValueMatch, ...]:
        """What must hold besides the path, of all kinds."""
        return (*self.headers, *self.query_parameters, *self.cookies)

    @property
    def kind(self) -> str:
        """The kind of rule: prefix, path, regex, variables, dsl or headers."""
        for name in ("prefix", "path", "regex", "variables"):
            if getattr(self, name):
                return name
        return "dsl" if self.dsl_expressions else "headers"
