"""The command `python -m governance.demo.idp --config FILE --port N`.

It prints its address as one line, then serves.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from governance.demo.idp.serving import NotLocal, base_of, configured, listen, serve


def main(argv: Sequence[str] | None = None) -> int:
    """Run `python -m governance.demo.idp --config FILE --port N`: print the address, then serve."""
    parser = argparse.ArgumentParser(
        prog="governance.demo.idp", description="The demo's identity provider"
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON: issuer → people and clients"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args(argv)
    try:
        listening = listen(options.host, options.port)
        app = configured(base_of(listening), json.loads(options.config.read_text()))
    except (NotLocal, OSError) as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 2
    serving = serve(app, on=listening)
    print(serving.base, flush=True)  # noqa: T201
    try:
        serving.thread.join()
    except KeyboardInterrupt:
        serving.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(cast("Sequence[str]", sys.argv[1:])))
