"""What `make check`, which has ninety seconds, does less of than `make test`: tries of a property, looks at the same page."""

import os

QUICK = bool(os.environ.get("GOVERNANCE_QUICK"))
LOOKS = 3 if QUICK else None  # at the HTML of one address with one status; None: at every answer


def examples(whole: int) -> int:
    """How many examples a property is tried with."""
    return max(20, whole // 10) if QUICK else whole
