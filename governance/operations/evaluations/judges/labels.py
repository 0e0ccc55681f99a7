"""Parser of labelled sets: CSV with a case, people's label and the judge's label. Pure."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.kernel.errors import Invalid, TooLarge
from governance.operations.evaluations.statistics.judges import HumanLabels

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_ROWS, MAX_PROBLEMS = 20_000, 20
MAX_CASE_LENGTH = 200
COLUMN_NAMES: Mapping[str, tuple[str, ...]] = {
    "case": ("case", "case id", "case_id", "id", "sample"),
    "people": ("human", "human label", "human_label", "people", "label"),
    "judge": ("judge", "judge label", "judge_label", "model"),
}
LABELS = {"pass": True, "fail": False}


@dataclass(frozen=True, slots=True)
class LabelledCase:
    """One case, with whether it passes according to people and to the judge."""

    case: str
    people_pass: bool
    judge_passes: bool


class LabelsRefused(Invalid):
    """The reason why a file isn't a labelled set.

    `problems` are its first wrong rows, as (row, sentence).
    """

    def __init__(self, message: str, problems: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(message, field="file")
        self.problems = problems


def read(content: bytes) -> list[LabelledCase]:
    """Parse a file. Raises LabelsRefused with the wrong rows; then none of its rows count."""
    rows = _rows(content)
    columns = _columns(rows[0])
    found: list[LabelledCase] = []
    problems: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for line, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        given = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
        wrong = _problem(given, seen)
        seen.setdefault(given["case"], line)
        if wrong:
            problems.append((line, wrong))
        else:
            found.append(
                LabelledCase(
                    given["case"],
                    LABELS[given["people"].casefold()],
                    LABELS[given["judge"].casefold()],
                )
            )
    if problems:
        count = "1 row is" if len(problems) == 1 else f"{len(problems):,} rows are"
        raise LabelsRefused(
            f"{count} wrong, so nothing was imported. Correct the file and upload it again.",
            problems[:MAX_PROBLEMS],
        )
    if not found:
        raise LabelsRefused("The file has column headings but no cases. Add rows.")
    return found


def count(cases: Sequence[LabelledCase]) -> HumanLabels:
    """Count how often people and the judge agree."""

    def of(people: bool, judge: bool) -> int:  # noqa: FBT001 - the cells of a table
        return sum(each.people_pass is people and each.judge_passes is judge for each in cases)

    return HumanLabels(of(True, True), of(True, False), of(False, True), of(False, False))


def _rows(content: bytes) -> list[list[str]]:
    if not content.strip():
        raise LabelsRefused("The file is empty. Choose another file.")
    if len(content) > MAX_FILE_BYTES:
        raise TooLarge(
            f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB. Upload a smaller file.",
            field="file",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelsRefused("The file isn't UTF-8 text. Export it as CSV in UTF-8.") from error
    first = text.lstrip().partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = list(csv.reader(text.lstrip().splitlines(), delimiter=separator, strict=True))
    except csv.Error as error:
        raise LabelsRefused("The file isn't CSV: a quotation mark isn't closed.") from error
    if len(rows) > MAX_ROWS + 1:
        raise LabelsRefused(f"A labelled set has {MAX_ROWS:,} cases at most.")
    return rows


def _columns(head: Sequence[str]) -> dict[str, int]:
    names = [cell.strip().casefold() for cell in head]
    found: dict[str, int] = {}
    for column, known in COLUMN_NAMES.items():
        at = next((n for n, name in enumerate(names) if name in known), None)
        if at is None:
            raise LabelsRefused(
                f"The first row has no column “{known[0]}”. It names the columns case, human and"
                " judge."
            )
        found[column] = at
    return found


def _problem(given: Mapping[str, str], seen: Mapping[str, int]) -> str:
    case = given["case"]
    if not case or len(case) > MAX_CASE_LENGTH:
        return "The case is missing." if not case else "The case has more than 200 characters."
    if case in seen:
        return f"The case {case} is in row {seen[case]} already."
    for column, who in (("people", "human"), ("judge", "judge")):
        label = given[column]
        if not label:
            return f"The {who} label is missing."
        if label.casefold() not in LABELS:
            return f"The {who} label “{label[:40]}” is neither pass nor fail."
    return ""
