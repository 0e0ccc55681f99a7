"""Globex and the operator's usage, costs and revenue, played in parallel with Acme's story.

This story runs in its own process. No step of either story depends on a step of the other.

    with telling_beside(idp_base, log) as beside: …; beside.told()    returns the machines' keys
    python -m governance.demo.beside IDP_BASE           the process; its last line is those keys as
    JSON
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from governance.app import factory
from governance.app.settings import from_environment
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
from governance.demo.progress import StoryFailed

STORY = "the story of the operator"


@dataclass(frozen=True, slots=True)
class StoryBeside:
    """The process that plays this part of the story."""

    process: ForkServerProcess
    log: Path

    def check(self) -> None:
        """Raise StoryFailed if the process has failed, because its part will never be ready."""
        if self.process.exitcode:
            said = self.log.read_text()
            last = said.strip().rpartition("\n")[2]
            failed = StoryFailed(last if last.startswith(STORY) else f"{STORY}: it ended early")
            failed.add_note(said)
            raise failed

    def told(self) -> dict[str, Any]:
        """Wait until the process is done, and return the keys of the machines."""
        self.process.join()
        self.check()
        handed: dict[str, Any] = json.loads(self.log.read_text().splitlines()[-1])
        return handed


@contextmanager
def telling_beside(idp_base: str, log: Path) -> Iterator[StoryBeside]:
    """Start the process, and end it with the block, even after an error."""
    environment = os.environ | {TODAY: days_ago(0).isoformat()}
    with child("governance.demo.beside", [idp_base], environment, log) as process:
        yield StoryBeside(process, log)


def main(idp_base: str) -> None:
    factory.connect(from_environment(os.environ))
    handed: dict[str, Any] = {}
    finance = Cast("console", f"{idp_base}/console")
    stories: Sequence[tuple[str, Callable[[], object]]] = (
        ("Acme's usage", lambda: usage_story.tell("acme", usage_story.ACME)),
        ("Globex", lambda: tell_globex(Cast("globex", f"{idp_base}/globex"), handed)),
        ("the customers' AI systems", economics_usage_story.register_systems),
        ("usage", lambda: economics_usage_story.tell(finance("finance"))),
        ("rates and prices", lambda: economics_prices_story.tell(finance("finance"))),
        ("revenue", lambda: economics_revenue_story.tell(finance("finance"))),
        ("bills", lambda: economics_costs_story.tell(finance("finance"))),
    )
    for name, tell in stories:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - named by the process that started this one
            traceback.print_exc()
            first = (str(error).splitlines() or [""])[0]
            raise SystemExit(f"{STORY}, {name}: {type(error).__name__}: {first}") from None
    print(json.dumps(handed))  # noqa: T201 - the answer to who started it


if __name__ == "__main__":
    main(sys.argv[1])
