"""Why a request did not end with an answer of its upstream: stable codes for people and programs.

The codes are part of the interface: they stand in failures, statistics and, where configured, in a
header field of the answer. A code may be added; none changes its meaning.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from mosntx.contracts import filters, stream


@frozen
class Reason:
    """One way to fail.

    :ivar meaning: what has happened, one sentence.
    :ivar advice: where to look next.
    :ivar limit: configuration key of the limit that was hit, ``""`` when none was.
    """

    code: str
    meaning: str
    advice: str
    limit: str = ""


_TABLE: Final = (
    Reason(
        "no_route",
        "No route of the router matches the request.",
        "Compare host, path and headers with the routes of the listener's router.",
    ),
    Reason(
        "no_cluster",
        "The cluster that the route names does not exist.",
        "It was removed at run time, or a variable names another one.",
    ),
    Reason(
        "connect_not_allowed",
        "The request is a CONNECT, and its route does not allow tunnels.",
        "Set allow_connect in the route, if clients may open tunnels.",
        "allow_connect",
    ),
    Reason(
        "no_healthy_host",
        "The cluster has no host that may be chosen.",
        "Look at the health of its hosts, at subsets and at ejections; is the cluster empty?",
    ),
    Reason(
        "cluster_requests",
        "The cluster has as many requests under way as it may have.",
        "The upstream is slower than usual, or the limit is low for the load.",
        "circuit_breakers.max_requests",
    ),
    Reason(
        "adaptive_limit",
        "The cluster has as many requests under way as its latency allows.",
        "The upstream is at its limit, or slower than usual. See adaptive_limit of the cluster.",
        "adaptive_concurrency",
    ),
    Reason(
        "pool_overflow",
        "Too many requests wait for a connection to the host already.",
        "The upstream is slower than usual, or the limits are low for the load.",
        "circuit_breakers.max_pending_requests",
    ),
    Reason(
        "pool_timeout",
        "No connection to the host became free in time.",
        "All connections are busy: the upstream is slow, or max_connections is low.",
        "pending_timeout",
    ),
    Reason(
        "connect_failed",
        "No connection to the host could be made.",
        "Is the host up, the port right, the network open? See the detail of each attempt.",
        "connect_timeout",
    ),
    Reason(
        "connection_lost",
        "The connection to the host ended before its answer was complete.",
        "Look at the upstream's log: it crashed, was restarted, or closes connections.",
    ),
    Reason(
        "upstream_reset",
        "The upstream ended this request without an answer, or in the middle of one.",
        "Look at the upstream's log at this time.",
    ),
    Reason(
        "upstream_refused",
        "The upstream took no more requests on the connection, also after a repetition.",
        "It is overloaded or about to stop.",
    ),
    Reason(
        "upstream_invalid",
        "The upstream's answer broke its protocol.",
        "Is the port right for this protocol? The log says what was wrong.",
    ),
    Reason(
        "not_sent",
        "The request could not be sent to the upstream, or its answer not to the client.",
        "The log says why.",
    ),
    Reason(
        "timeout",
        "The upstream did not answer within the time for the whole request.",
        "Is the upstream slow, or the route's timeout short?",
        "timeout",
    ),
    Reason(
        "try_timeout",
        "The upstream did not answer within the time for one attempt.",
        "Is the upstream slow, or the time for one attempt short?",
        "retry_policy.retry_timeout",
    ),
    Reason(
        "idle_timeout",
        "Nothing moved in either direction for too long.",
        "A client that does not send its body, or a peer that does not read.",
        "stream_idle_timeout",
    ),
    Reason(
        "client_gone",
        "The client left before it had the answer.",
        "Its own timeout is shorter than the upstream's answer takes.",
    ),
    Reason(
        "client_invalid",
        "The client broke the protocol in the middle of the request.",
        "The log says what was wrong.",
    ),
    Reason(
        "no_conversion",
        "The request cannot be carried in the protocol of the upstream.",
        "See the protocols of the listener, the route and the cluster.",
    ),
    Reason(
        "too_large",
        "The body is larger than allowed.",
        "A filter or the route limits it.",
        "max_entity_size",
    ),
    Reason("rate_limited", "There were more requests than allowed.", "See the rate limit."),
    Reason("fault_injected", "A fault was asked for by configuration.", "See the filter fault."),
    Reason("filter_failed", "A stream filter raised an exception.", "The log has the traceback."),
    Reason("filter_ended", "A filter ended the request without an answer.", "See the filters."),
    Reason("filter_reply", "A filter answered with an error of its own.", "See the filters."),
    Reason("internal", "A mistake of mosntx.", "The log has the traceback; please report it."),
)

#: code -> what it means.
REASONS: Final = {reason.code: reason for reason in _TABLE}

#: Reset reason -> code.
OF_RESET: Final = {
    stream.CONNECTION_FAILED: "connect_failed",
    stream.CONNECTION_TERMINATION: "connection_lost",
    stream.UPSTREAM_RESET: "connection_lost",
    stream.REUSE_RACE: "connection_lost",
    stream.LOCAL_RESET: "not_sent",
    stream.REMOTE_RESET: "upstream_reset",
    stream.REFUSED: "upstream_refused",
    stream.PROTOCOL_ERROR: "upstream_invalid",
    stream.OVERFLOW: "pool_overflow",
    stream.PENDING_TIMEOUT: "pool_timeout",
    stream.GLOBAL_TIMEOUT: "timeout",
    stream.PER_TRY_TIMEOUT: "try_timeout",
    stream.IDLE_TIMEOUT: "idle_timeout",
    stream.DOWNSTREAM_GONE: "client_gone",
}

#: Reset reason -> code, when the client's side has ended; any other is ``client_gone``.
OF_CLIENT: Final = {stream.PROTOCOL_ERROR: "client_invalid", stream.LOCAL_RESET: "internal"}

#: Response flag that a filter gives -> code.
_OF_FLAG: Final = (
    (filters.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (filters.RATE_LIMITED, "rate_limited"),
    (filters.FAULT_INJECTED, "fault_injected"),
    (filters.FILTER_FAILED, "filter_failed"),
)


def reasonOfReply(status: int, flag: int) -> str:
    """Return the code for a reply of a filter; ``""`` when it is no failure."""
    for bit, code in _OF_FLAG:
        if flag & bit:
            return code
    return "filter_reply" if status >= 400 else ""
