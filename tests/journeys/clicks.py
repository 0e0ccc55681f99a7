"""Counts of a person's clicks, including keys that open or submit something.

Typing and moving the selection are free. Choosing from a list or a folder is a click. Each
day's table is written to var/clicks, so that two releases can be compared.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Download, Locator, Page

FOLDER = Path(os.environ.get("CLICKS") or Path(__file__).parents[2] / "var" / "clicks")


@dataclass(slots=True)
class Clicks:
    """The clicks of one person's task, in order: what was clicked."""

    task: str
    page: Page
    ceiling: int
    made: list[str] = field(default_factory=list)

    def click(self, target: Locator, says: str) -> None:
        self.made.append(says)
        target.click()

    def choose(self, label: str, option: str) -> None:
        """Choose the option with that text in the list."""
        self.made.append(f"{label}: {option}")
        found = self.page.get_by_label(label).locator("option", has_text=option).first
        self.page.get_by_label(label).select_option(value=found.get_attribute("value"))

    def attach(self, label: str, file: Path) -> None:
        self.made.append(f"{label}: a file")
        self.page.get_by_label(label).set_input_files(file)

    def press(self, key: str, says: str) -> None:
        """Press a key that opens or submits something, which counts as a click."""
        self.made.append(f"{key}: {says}")
        self.page.keyboard.press(key)

    def download(self, target: Locator, says: str, folder: Path) -> Path:
        """Click, and save the file that is downloaded."""
        with self.page.expect_download() as coming:
            self.click(target, says)
        file: Download = coming.value
        kept = folder / file.suggested_filename
        file.save_as(kept)
        return kept

    def row(self) -> str:
        return f"| {self.task} | {len(self.made)} | {self.ceiling} | {'; '.join(self.made)} |"


@contextmanager
def counted(task: str, page: Page, ceiling: int) -> Iterator[Clicks]:
    """Count the clicks of a task, write their row, and fail above the ceiling."""
    clicks = Clicks(task, page, ceiling)
    yield clicks
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = "".join(each if each.isalnum() else "-" for each in task.casefold())
    (FOLDER / f"{name}.md").write_text(clicks.row() + "\n")
    assert len(clicks.made) <= ceiling, (
        f"{len(clicks.made)} clicks, {ceiling} allowed: {clicks.made}"
    )
