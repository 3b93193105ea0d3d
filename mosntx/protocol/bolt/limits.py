"""Limits of Bolt, with their reasons."""

from __future__ import annotations

import attrs

#: The largest number that a 16 bit length says.
MAX_LENGTH16 = 0xFFFF
#: The largest number that a 32 bit length says.
MAX_LENGTH32 = 0xFFFFFFFF


@attrs.frozen
class BoltLimits:
    """What a frame may hold. All are checked when its fixed part is there, before its rest is kept.

    :param max_content: octets of the content, also of one that is collected from data of another
        protocol. 64 MiB: no implementation has a limit of its own, and SOFABolt reads the field as
        signed (attack case 50).
    :param max_header_map: octets of the header map. The field has 16 bits; SOFABolt reads it as
        signed, so frames for it keep to 32767.
    :param max_class_name: octets of the class name; as `max_header_map`.
    :param check_header_map: walk the header map of each request that comes in, and answer one that
        is broken from here (status 18). Otherwise it is forwarded as it is and has no service. To
        be switched off for applications whose header is no SimpleMap (SOFABolt without SOFARPC).
    """

    max_content: int = 64 * 1024 * 1024
    max_header_map: int = MAX_LENGTH16
    max_class_name: int = MAX_LENGTH16
    check_header_map: bool = True
