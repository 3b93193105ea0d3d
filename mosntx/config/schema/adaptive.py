"""A limit of requests at a time that follows what is measured."""

from __future__ import annotations

from typing import Annotated

import attrs

from mosntx.config.schema.base import UINT32_MAX, Bounds, Duration, Located, option


@attrs.frozen(kw_only=True)
class AdaptiveConcurrency(Located):
    """A limit of requests at a time that falls when the cluster answers more slowly."""

    min_limit: Annotated[int, Bounds(1, UINT32_MAX)] = option(
        "The limit never falls below this.", default=4
    )
    max_limit: Annotated[int, Bounds(1, UINT32_MAX)] = option(
        "The limit never rises above this.", default=1000
    )
    window: Duration = option(
        "Answers of this time are measured together; the limit changes after each.",
        default=0.1,
        zero=0.1,
    )
    probe_interval: Duration = option(
        "After so long under full load, look for a moment how fast answers are without it.",
        default=10.0,
        zero=10.0,
    )
