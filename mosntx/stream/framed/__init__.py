"""Many streams at a time on a connection, in parts (HTTP/2).

A stream is a number in a table, as in `mosntx.stream.multiplex`; but requests and responses come in
parts, each direction ends by itself, each stream can be reset by either side, and each has flow
control of its own.

Nothing is written where it is said: the codec collects, and each connection writes once, at the end
of the read that caused it all (`mosntx.stream.framed.turn`)::

    read of a client -> codec -> exchange -> codec of the upstream
                                                 |  the turn ends
                                                 v
                              one write to each peer concerned
"""

from __future__ import annotations
