"""The same application without record(): what an action costs without its audit entry.

For the bench, and nowhere else.
"""

import sys
from typing import Any

from governance.app.factory import create_app
from governance.foundation.audit import record as module

_real = module.record


def _nothing(*_args: Any, **_facts: Any) -> None:
    """Everything is done but said."""


app = create_app()
for each in [m for name, m in sys.modules.items() if name.startswith("governance.")]:
    if getattr(each, "record", None) is _real:
        each.record = _nothing
