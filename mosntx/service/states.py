"""MOSN's states of the process (spec/proxy.md 13.2).

The admin API and the metric ``mosn_state_code`` show them.
"""

from __future__ import annotations

NIL = 0
PARAMS_PARSED = 1
INITING = 2
PRE_START = 3
STARTING = 4
AFTER_START = 5
RUNNING = 6
BEFORE_STOP = 7
GRACEFUL_STOPPING = 8
STOPPING = 9
AFTER_STOP = 10
STOPPED = 11
STARTING_NEW_SERVER = 12
UPGRADING = 13
