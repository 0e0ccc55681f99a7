"""Globex, and what all customers used, cost and paid: told by a process of its own while Acme's story
is told. No step of one is about a step of the other.

    with telling_beside(idp_base) as told: …; told()    what machines were handed, once it is told
    python -m governance.demo.beside IDP_BASE           that process; its last line is the same, as JSON
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from governance.app import factory
from governance.demo import (
    economics_costs_story,
    economics_prices_story,
    economics_revenue_story,
    economics_usage_story,
    usage_story,
)
from governance.demo.cast import TODAY, Cast, days_ago
from governance.demo.children import child
from governance.demo.globex import tell_globex
from governance.kernel import config


@contextmanager
def telling_beside(idp_base: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Start the process; it ends with the block, whatever happens in it."""
    environment = os.environ | {TODAY: days_ago(0).isoformat()}
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        log = Path(folder) / "said"
        with child("governance.demo.beside", [idp_base], environment, log) as process:

            def told() -> dict[str, Any]:
                process.join()
                said = log.read_text()
                if process.exitcode:
                    raise SystemExit(f"The story of the operator failed:\n{said[-2000:]}")
                handed: dict[str, Any] = json.loads(said.splitlines()[-1])
                return handed

            yield told


def main(idp_base: str) -> None:
    factory.connect(config.from_environment(os.environ))
    usage_story.tell("acme", usage_story.ACME)
    handed: dict[str, Any] = {}
    tell_globex(Cast("globex", f"{idp_base}/globex"), handed)
    economics_usage_story.register_systems()
    finance = Cast("console", f"{idp_base}/console")("finance")
    for story in (
        economics_usage_story,
        economics_prices_story,
        economics_revenue_story,
        economics_costs_story,
    ):
        story.tell(finance)
    print(json.dumps(handed))  # noqa: T201 - the answer to who started it


if __name__ == "__main__":
    main(sys.argv[1])
