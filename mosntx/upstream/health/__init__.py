"""Active health checks: asking the hosts of a cluster how they are (spec/upstream.md 8).

One `session` per host and cluster decides when to ask and what the answers mean; probes
(`tcp`, `http`, `grpc`, `rpc`) know how to ask; `checks` follows the hosts of all clusters.
"""

from __future__ import annotations
