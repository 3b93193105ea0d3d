"""Many streams at a time on a connection: protocols of frames (capabilities S2, S4, S9).

A stream is a number in a table; a frame carries a whole message. Answers may come in any order.
Heartbeats are answered here and never become exchanges.
"""

from __future__ import annotations
