"""The result of a verifier: checks, one outcome over all of them, and the exit status. Pure.

There are three outcomes. A check that someone requested and that could not be done never passes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class CheckOutcome(Enum):
    """The outcome of a check. The value is the exit status of a command."""

    RIGHT = 0
    WRONG = 1
    NOT_CHECKED = 2


EXIT_STATUS = (
    "Exit status: 0 = every requested check ran and passed; 1 = something is wrong; "
    "2 = no check failed, but a requested check could not run."
)


MAX_SENTENCE_LENGTH = 400


def plain(text: str) -> str:
    """Return text that is safe for a terminal and a page: printable only, and not too long.

    The text that a file states may have anything in it.
    """
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return shown if len(shown) <= MAX_SENTENCE_LENGTH else f"{shown[:MAX_SENTENCE_LENGTH]}…"


def worst(outcomes: Iterable[CheckOutcome]) -> CheckOutcome:
    """Return the outcome over several; without any it is NOT_CHECKED, because nothing was."""
    found = set(outcomes)
    if CheckOutcome.WRONG in found:
        return CheckOutcome.WRONG
    return (
        CheckOutcome.NOT_CHECKED
        if CheckOutcome.NOT_CHECKED in found or not found
        else CheckOutcome.RIGHT
    )


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check and its result. `ok` is None when it could not be done.

    `required` is False for a limit that the reader should know and did not request as a check.
    """

    name: str
    ok: bool | None
    sentence: str
    required: bool = True

    @property
    def outcome(self) -> CheckOutcome:
        if self.ok is None:
            return CheckOutcome.NOT_CHECKED
        return CheckOutcome.RIGHT if self.ok else CheckOutcome.WRONG

    @property
    def mark(self) -> str:
        """The word at the beginning of its line on a terminal."""
        if self.ok is None:
            return "?" if self.required else "--"
        return "ok" if self.ok else "FAIL"


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """All checks, in the order in which they were done."""

    checks: tuple[CheckResult, ...]

    @property
    def outcome(self) -> CheckOutcome:
        return worst(check.outcome for check in self.checks if check.required)

    @property
    def ok(self) -> bool:
        return self.outcome is CheckOutcome.RIGHT

    def summary(self, thing: str, right: str, wrong: str = "") -> str:
        """Return one or two sentences over all checks.

        `right` is used if all passed; `wrong` replaces the first failed check's sentence.
        """
        if self.outcome is CheckOutcome.RIGHT:
            return right
        reason = next(
            (
                check.sentence
                for check in self.checks
                if check.required and check.outcome is self.outcome
            ),
            "",
        )
        if self.outcome is CheckOutcome.WRONG:
            return f"Do not rely on this {thing}. {wrong or reason}"
        if any(check.ok for check in self.checks):
            return (
                f"No check failed for this {thing}, but a requested check could not run. {reason}"
            )
        return f"Nothing was checked. {reason}".strip()
