"""Sequential refs of a tenant, such as EV-0007 and EXC-14."""

import re
from typing import Any

from sqlalchemy import select

from governance.kernel.data.db import lock_tenant, session

DIGITS = re.compile(r"(\d+)$")


def next_ref(column: Any, prefix: str, *, width: int) -> str:
    """Return the ref after the highest one in `column`. A lock serializes concurrent requests."""
    lock_tenant(prefix)
    taken = session().scalars(select(column).where(column.like(f"{prefix}-%"))).all()
    highest = max((int(found[1]) for ref in taken if (found := DIGITS.search(ref))), default=0)
    return f"{prefix}-{highest + 1:0{width}d}"
