"""The steps of a playbook, and the rules for a list of steps. Pure functions.

A step is an instruction, a link, or an action that Meridian carries out (step_actions.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from governance.kernel.errors import Invalid

MAX_STEPS = 40
MAX_TITLE_LENGTH = 120
MAX_DETAIL_LENGTH = 1000
KINDS = {
    "instruction": "Instruction",
    "link": "Link",
    "stop": "Stop",
    "tighten": "Tighten policy",
    "notify": "Notify",
}
AUDIENCES = {
    "leads": "admins and compliance officers",
    "members": "every member of the tenant except auditors",
}


@dataclass(frozen=True, slots=True)
class PlaybookStep:
    """A step. `target` depends on the kind: a URL, system/feature, a tier, or an audience."""

    title: str
    detail: str = ""
    kind: str = "instruction"
    target: str = ""

    @property
    def is_action(self) -> bool:
        """Whether Meridian carries it out, with the permission of the person who runs it."""
        return self.kind in {"stop", "tighten", "notify"}

    @property
    def choice(self) -> str:
        """Value of the select field that chooses the kind and target together."""
        return f"{self.kind}:{self.target}" if self.is_action else self.kind

    @property
    def label(self) -> str:
        """Button label for the step, such as "Stop claims-triage · auto-approve"."""
        match self.kind:
            case "stop":
                return f"Stop {self.target.replace('/', ' · ')}"
            case "tighten":
                return f"Tighten policy to {self.target.replace('_', ' ').capitalize()}"
            case "notify":
                return f"Notify {AUDIENCES.get(self.target, self.target)}"
        return KINDS.get(self.kind, self.kind)

    def plain(self) -> dict[str, str]:
        return {
            "title": self.title,
            "detail": self.detail,
            "kind": self.kind,
            "target": self.target,
        }


def read_steps(raw: Sequence[Mapping[str, Any]]) -> list[PlaybookStep]:
    """Parse the steps of a stored version."""
    return [
        PlaybookStep(
            str(each["title"]),
            str(each.get("detail", "")),
            str(each.get("kind", "instruction")),
            str(each.get("target", "")),
        )
        for each in raw
    ]


def check_steps(steps: Sequence[PlaybookStep]) -> None:
    """Raise Invalid, naming the wrong step, unless the list can be saved."""
    if not steps:
        raise Invalid("Add at least one step.", field="steps")
    if len(steps) > MAX_STEPS:
        raise Invalid(
            f"A playbook has at most {MAX_STEPS} steps. Split this one in two.", field="steps"
        )
    for number, step in enumerate(steps, 1):
        if (problem := _problem(step)) is not None:
            raise Invalid(f"Step {number}: {problem}", field="steps")


def _problem(step: PlaybookStep) -> str | None:
    problems = (
        (not step.title, "enter a title."),
        (
            len(step.title) > MAX_TITLE_LENGTH,
            f"shorten the title to {MAX_TITLE_LENGTH} characters.",
        ),
        (
            len(step.detail) > MAX_DETAIL_LENGTH,
            f"shorten the details to {MAX_DETAIL_LENGTH:,} characters.",
        ),
        (step.kind not in KINDS, "choose what it does."),
        (
            step.kind == "link" and not _is_link(step.target),
            "enter a link that starts with https:// or with /.",
        ),
        (step.kind == "notify" and step.target not in AUDIENCES, "choose who is notified."),
    )
    return next((sentence for is_wrong, sentence in problems if is_wrong), None)


def _is_link(target: str) -> bool:
    if not target.isprintable() or " " in target:
        return False
    if target.startswith("/") and not target.startswith(("//", "/\\")):
        return True
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname)
