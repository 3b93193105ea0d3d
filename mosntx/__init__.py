"""mosntx: a service-mesh sidecar and L7 proxy on Twisted.

Users start with `mosntx.service.Sidecar` (run or embed a proxy) and `mosntx.testing` (test one).
Importing this package does nothing else: no reactor is installed, nothing is registered.
"""

from __future__ import annotations

__version__ = "0.1.0"
