"""The demo's progress, shown in the terminal and on the sign-in page while the story runs.

with StoryProgress(file, said) as told: …; told(day)    shows the notice until the block ends
begin(step), step()                                     the current step, for error messages
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from types import TracebackType

_step = ["the start"]


class StoryFailed(SystemExit):
    """Another process's part of the story failed. The message names the step."""


def begin(step: str) -> None:
    """Set the current step, such as "the migrations"."""
    _step[0] = step


def step() -> str:
    return _step[0]


class StoryProgress(AbstractContextManager["StoryProgress"]):
    """A callback for each day that the story reaches. It reports each month once.

    `file` is the file in GOVERNANCE_NOTICE_FILE.
    """

    def __init__(self, file: Path, said: Callable[[str], None]) -> None:
        self._file, self._said = file, said
        self._month = date.min

    def __call__(self, day: date) -> None:
        month = day.replace(day=1)
        if month <= self._month:
            return
        self._month = month
        begin(f"Acme's story of {month:%B %Y}")
        reached = f"The demo is still being told. It has reached {month:%B %Y}."
        self._write(f"{reached} Look around already, and wait with changes until it is today.")
        self._said(f"  told up to {month:%B %Y}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._file.unlink(missing_ok=True)

    def _write(self, sentence: str) -> None:
        """Write atomically, because the sign-in page may be reading the file."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{sentence}\n")
        new.replace(self._file)
