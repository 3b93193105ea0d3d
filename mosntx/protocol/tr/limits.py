"""Limits of TR, with their reasons."""

from __future__ import annotations

import attrs


@attrs.frozen
class TrLimits:
    """What a frame may hold. All are checked when its 14 octets are there, before more is kept.

    :param max_connection_object: octets of the connection object. Usual ones have 130 to 250; an
        answer may carry a stack trace in it.
    :param max_class_name: octets of the class name; the field has 8 bits.
    :param max_content: octets of the application objects, also of some that are collected from data
        of another protocol. 64 MiB as for Bolt: no implementation has a limit of its own, and MOSN
        added the lengths in 32 bits (attack case 50).
    """

    max_connection_object: int = 1024 * 1024
    max_class_name: int = 255
    max_content: int = 64 * 1024 * 1024
