"""The same application without record(), to show what an audit entry costs its action.

Use it in the bench only. `python -m bench.silent PORT` serves it with the server of `governance
web`: with another server, the two would differ in more than the entry.
"""

import sys
from typing import Any

from governance.app import serving
from governance.foundation.audit import record as module

_real = module.record


def _nothing(*_args: Any, **_facts: Any) -> None:
    """Do nothing in place of record()."""


app = serving.application()
for each in [m for name, m in sys.modules.items() if name.startswith("governance.")]:
    if getattr(each, "record", None) is _real:
        each.record = _nothing

if __name__ == "__main__":
    from governance.kernel.web import server

    server.serve("governance.app.serving:pages", host="127.0.0.1", port=int(sys.argv[1]), workers=1)
