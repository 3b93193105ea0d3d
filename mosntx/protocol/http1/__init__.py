"""HTTP/1.1 (and 1.0): RFC 9110, RFC 9112.

llhttp (by httptools) reads field blocks, the chunked coding and trailers, and refuses what is not
well formed in them; see `fields` and `chunked`. Which framing a message has, all limits, hops and
start lines are decided here.

A start line is matched by one regular expression (`framing.ORIGIN_LINE` and its neighbours), since
llhttp's idea of it is another than ours, on both sides. It lets through: HTTP/0.9 and 2.0, RTSP and
ICE, several spaces before the target, any number of empty lines before the method, any scheme,
fragments, the status 000, NUL and controls in reason phrases. It refuses: methods that are not in
its list, which a proxy passes on (RFC 9110 9.1, 16.1), and targets with octets from 0x80, which
MOSN passes on. So what it would find out, the expression finds out anyway; and to let it see the
line together with the fields, it would have to see the bodies too (checked for httptools 0.9).
"""

from __future__ import annotations
