"""How many examples a property is tried with: all of them in `make test`, a tenth in `make check`, which has ninety seconds."""

import os


def examples(whole: int) -> int:
    return max(20, whole // 10) if os.environ.get("GOVERNANCE_QUICK") else whole
