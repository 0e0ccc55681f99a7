"""Row identifiers: UUID version 7 (RFC 9562), so that they sort by the time they were made."""

import os
from uuid import UUID

from governance.kernel import clock


def uuid7() -> UUID:
    milliseconds = int(clock.now().timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=value)
