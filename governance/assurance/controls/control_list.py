"""The list of controls: its definition, its rows and the columns of its export."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from governance.assurance.controls import queries
from governance.assurance.controls.control_ledger import ledger
from governance.assurance.controls.control_record import KINDS
from governance.assurance.controls.status import WORDS, ControlFacts, Status, last_test, status
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people import owners
from governance.kernel import clock, formatting
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    FileColumn,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)
from governance.kernel.safety.visibility_scope import limits

STATES = {"failing": "bad", "missing": "warn", "due": "due", "evidenced": "info", "effective": "ok"}


class ControlLine(NamedTuple):
    """The fields of a control that a row of the list shows."""

    id: UUID
    ref: str
    title: str
    about: str
    kind: str
    requirements: int
    evidence: int
    tested: str
    owner: str | None
    state: str
    word: str
    reason: str
    more_reasons: int


@dataclass(frozen=True)  # Slots would leave no room for cached properties.
class ControlSummary:
    """A row of the list."""

    control: ControlFacts
    status: Status
    frameworks: tuple[str, ...]

    @cached_property
    def line(self) -> ControlLine:
        c, reasons = self.control, self.status.reasons
        return ControlLine(
            c.control_id,
            c.ref,
            c.title,
            f"{c.cadence}, {c.automation}",
            c.kind.capitalize(),
            len(c.mappings),
            len(c.proofs),
            self.tested,
            c.owner,
            self.state,
            self.status.word,
            reasons[0].fact if reasons else "",
            len(reasons) - 1,
        )

    @property
    def state(self) -> str:
        return STATES[self.status.name]

    @property
    def tested(self) -> str:
        last = last_test(self.control)
        return f"{last.sample - last.failed} of {last.sample}" if last else ""


def _reasons(line: ControlSummary) -> str:
    return " ".join(f"{r.fact} {r.consequence}" for r in line.status.reasons)


def _requirements(line: ControlSummary) -> str:
    found = (frameworks.requirement_by_id(i).ref for i, _ in line.control.mappings)
    return ", ".join(sorted(found))


CONTROL_FILE: Sequence[FileColumn[ControlSummary]] = (
    FileColumn("Ref", lambda line: line.control.ref, "ref"),
    FileColumn("Title", lambda line: line.control.title, "ref"),
    FileColumn("Description", lambda line: line.control.does),
    FileColumn("Kind", lambda line: line.control.kind, "kind"),
    FileColumn("Automation", lambda line: line.control.automation),
    FileColumn("Cadence", lambda line: line.control.cadence),
    FileColumn("Owner", lambda line: line.control.owner, "owner"),
    FileColumn("Status", lambda line: line.status.word, "status"),
    FileColumn("Reasons", _reasons),
    FileColumn("Last test", lambda line: line.tested, "tested"),
    FileColumn("Evidence", lambda line: ", ".join(p.ref for p in line.control.proofs), "evidence"),
    FileColumn("Requirements", _requirements, "requirements"),
)
CONTROLS = ListPage(
    name="controls",
    title="Controls",
    noun="control",
    endpoint="controls.index",
    search="Search controls",
    sort="ref",
    sorts=("title",),
    columns=(
        Column("ref", "Control", sort=True),
        Column("kind", "Kind", optional=True),
        Column("requirements", "Requirements", optional=True, numeric=True),
        Column("evidence", "Evidence", optional=True, numeric=True),
        Column("tested", "Last test", optional=True),
        Column("owner", "Owner", sort=True, optional=True),
        Column("status", "Status", sort=True),
    ),
    filters=(
        Filter("status", "Status", tuple(WORDS.items())),
        Filter("framework", "Framework", frameworks.choices),
        Filter("owner", "Owner", label_of=owners.filter_label),
        Filter("kind", "Kind", tuple((kind, kind.capitalize()) for kind in KINDS)),
    ),
    exports=tuple(Export(form, "controls.export", {"form": form}) for form in ("csv", "xlsx")),
    file=CONTROL_FILE,
    bulk="controls.assign_selected",
)


TESTS: Mapping[str, Callable[[ControlSummary, str], bool]] = {
    "status": lambda line, value: line.status.name == value,
    "framework": lambda line, value: value in line.frameworks,
    "owner": lambda line, value: (
        value == (str(line.control.owner_id) if line.control.owner_id else "nobody")
    ),
    "kind": lambda line, value: line.control.kind == value,
}
KEYS: Mapping[str, Callable[[ControlSummary], Any]] = {
    "ref": lambda line: line.control.ref,
    "title": lambda line: (line.control.title.casefold(), line.control.ref),
    "owner": lambda line: ((line.control.owner or "\uffff").casefold(), line.control.ref),
    "status": lambda line: (line.status.rank, line.control.ref),
}


def control_summaries() -> Sequence[ControlSummary]:
    """Return all live controls with their current status, judged over the past year."""
    now = clock.now()
    whole = ledger()
    if limits() is not None:
        return _summaries(queries.posture(now), now.date())
    key = "summaries", now.date(), whole.since(now)
    with formatting.as_tenant():  # Every reader gets the cached text.
        return whole.derived.get(key, lambda: _summaries(whole.at(now), now.date()))


def _summaries(controls: Sequence[ControlFacts], today: date) -> tuple[ControlSummary, ...]:
    since = today - timedelta(days=365)
    keys = {each.id: each.key for each in frameworks.installed()}
    return tuple(
        ControlSummary(
            each,
            status(each, today=today, period_from=since, period_to=today),
            _frameworks(each, keys),
        )
        for each in controls
    )


def _frameworks(control: ControlFacts, keys: Mapping[UUID, str]) -> tuple[str, ...]:
    """Return the keys of the frameworks that the control is mapped to."""
    return tuple(
        sorted({keys[frameworks.requirement_by_id(i).framework_id] for i, _ in control.mappings})
    )


def matching(lines: Sequence[ControlSummary], asked: ListRequest) -> list[ControlSummary]:
    return arrange(keep(lines, asked, TESTS, _text), asked, KEYS)


def _text(line: ControlSummary) -> str:
    c = line.control
    return f"{c.ref} {c.title} {c.does} {c.owner or ''}"
