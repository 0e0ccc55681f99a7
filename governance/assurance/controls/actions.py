"""What is done to controls: created or adopted, edited, given away, mapped, tested, retired.

    create, adopt                  one of one's own; those of the starter pack, with the evidence
                                   they ask for
    edit, assign, retire, restore  guarded: a stale form is refused with what changed
    map_to, unmap                  that it answers (fully, partly) for a requirement
    record_test                    a sample was tried; what failed opens a finding

Contributors work on the controls that they own, and see the others. Assigning, mapping and retiring
can be undone.
"""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls import permissions, queries
from governance.assurance.controls.models import Control, ControlMapping, ControlTest
from governance.assurance.controls.runtime_dependencies import RESTS_ON
from governance.assurance.controls.starter_pack import StarterControl, pack
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.evidence.models import Evidence
from governance.assurance.evidence.reference_numbers import next_ref
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import who_last
from governance.kernel import clock, current, undo
from governance.kernel.access import require
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.undo import Overtaken, UndoStep

CREATED = action(
    "control.created",
    "created a control",
    target="Control",
    activity="create",
    severity="informational",
    fields="ref title kind automation cadence rests_on source mappings",
    persons="owner",
    shape="up",
)
EDITED = action(
    "control.changed",
    "changed a control",
    target="Control",
    activity="update",
    severity="informational",
    fields="title does kind automation cadence rests_on",
)
ASSIGNED = action(
    "control.assigned",
    "assigned a control",
    target="Control",
    activity="update",
    severity="informational",
    fields="undoes",
    persons="owner",
)
MAPPED = action(
    "control.mapped",
    "mapped a control to a requirement",
    target="Control",
    activity="update",
    severity="informational",
    fields="framework requirement coverage undoes",
    shape="up",
)
UNMAPPED = action(
    "control.unmapped",
    "removed a control's mapping to a requirement",
    target="Control",
    activity="update",
    severity="informational",
    fields="framework requirement coverage undoes",
    shape="down",
)
TESTED = action(
    "control.tested",
    "tested a control",
    target="Control",
    activity="update",
    severity="informational",
    fields="tested_on sample failed finding_ref retest_by",
    personal="finding",
    shape="ok",
    failed_by="failed",
)
RETIRED = action(
    "control.retired",
    "retired a control",
    target="Control",
    activity="delete",
    severity="low",
    fields="ref",
    shape="stop",
)
RESTORED = action(
    "control.restored",
    "restored a retired control",
    target="Control",
    activity="update",
    severity="low",
    fields="ref undoes",
    shape="ok",
)

KINDS = ("preventive", "detective", "corrective")
AUTOMATIONS = ("manual", "automated")
COVERAGES = ("full", "partial")
FIRST_VERSION = timedelta(
    days=92
)  # an adopted control has a quarter to bring in its first evidence


class AlreadyThere(DomainError):
    pass


class Retired(DomainError):
    pass


def create(
    ref: str,
    title: str,
    does: str,
    *,
    kind: str,
    automation: str,
    cadence: str,
    owner_id: UUID | None = None,
    rests_on: str | None = None,
) -> Control:
    """Create a control of the tenant's own; its ref is free and stays."""
    ref = ref.strip().upper()
    alone("controls")
    if session().scalar(select(Control.id).where(Control.ref == ref)):
        raise AlreadyThere(
            f"{ref} is already used, maybe by a retired control. Choose another ref.", field="ref"
        )
    check_may_own(owner_id)
    control = _new(
        ref,
        title,
        does,
        kind=kind,
        automation=automation,
        cadence=cadence,
        owner_id=owner_id,
        rests_on=rests_on,
    )
    record(
        CREATED,
        control,
        ref=ref,
        title=control.title,
        kind=kind,
        automation=automation,
        cadence=cadence,
        owner=owner_id,
        rests_on=rests_on,
    )
    return control


def adopt(refs: Collection[str] | None = None, *, with_evidence: bool = True) -> list[Control]:
    """Adopt controls of the starter pack (all, or these refs), mapped; a ref that is taken is left
    as it is.

    With evidence, each control's evidence is begun (one piece for all controls that name it), due
    in a quarter.
    """
    wanted = [each for each in pack() if refs is None or each.ref in set(refs)]
    if refs is not None and len(wanted) != len(set(refs)):
        raise Invalid("One of the selected controls isn't in the starter pack.", field="refs")
    alone("controls")
    taken = set(session().scalars(select(Control.ref)))
    adopted = [(_adopted(each), each) for each in wanted if each.ref not in taken]
    if with_evidence:
        _begin_evidence(adopted)
    return [control for control, _ in adopted]


def edit(
    control: Control,
    *,
    version: int,
    title: str,
    does: str,
    kind: str,
    automation: str,
    cadence: str,
    rests_on: str | None,
) -> None:
    """Change what it says.

    Stale, with what differs (yours, theirs), when somebody changed it since `version`.
    """
    _workable(control)
    after = _checked(
        title, does, kind=kind, automation=automation, cadence=cadence, rests_on=rests_on
    )
    before = {name: getattr(control, name) for name in after}
    changed = {
        name: (value, before[name]) for name, value in after.items() if value != before[name]
    }
    if not changed:
        return
    if version != control.version:
        raise Stale(
            f"Someone else changed {control.ref} while you were editing. Review it, then save again.",
            changed,
        )
    for name, value in after.items():
        setattr(control, name, value)
    control.version += 1
    record(EDITED, control, before=before, after=after)


def assign(control: Control, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Give it to a member, or with None to nobody.

    The same owner twice is no change. `undoes`: the entry taken back.
    """
    _live(control)
    if control.owner_id == owner_id:
        return
    check_may_own(owner_id)
    before, after = {"owner": control.owner_id}, {"owner": owner_id}
    control.owner_id = owner_id
    entry = record(ASSIGNED, control, before=before, after=after, undoes=undoes)
    undo.remember("control.owner", control.id, entry.id, before=before, after=after)


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Several at once, all or none."""
    for control in queries.some(ids, lock=True):
        assign(control, owner_id)  # record() is in there


def why_not(control: Control) -> str | None:
    """Why nothing of it can be changed any more; None where it can."""
    if control.retired_at is None:
        return None
    return f"{control.ref} was retired on {control.retired_at.day} {control.retired_at:%B %Y}."


def retire(control: Control, *, reason: str) -> None:
    """It answers for nothing from now on; its past stays what it was."""
    _live(control)
    if not reason.strip():
        raise Invalid("Enter a reason. It stays with the control.", field="reason")
    control.retired_at, control.retirement_reason = clock.now(), reason.strip()[:2000]
    entry = record(RETIRED, control, reason=control.retirement_reason, ref=control.ref)
    undo.remember(
        "control.retired", control.id, entry.id, before={}, after={"retired_at": control.retired_at}
    )


def restore(control: Control, *, undoes: UUID) -> None:
    """Undo its retirement, which the entry `undoes` told of: it counts again, as if it had never
    been retired.
    """
    control.retired_at = control.retirement_reason = None
    record(RESTORED, control, ref=control.ref, undoes=undoes)


def map_to(
    control: Control, requirement_id: UUID, coverage: str, *, undoes: UUID | None = None
) -> ControlMapping:
    """Say that it answers for a requirement.

    The same again is no change; another coverage ends the old mapping.
    """
    _live(control)
    if coverage not in COVERAGES:
        raise Invalid("Choose full or partial coverage.", field="coverage")
    requirement = _requirement(requirement_id)
    held = _mapping(control, requirement_id)
    if held is not None and held.coverage == coverage:
        return held
    if held is not None:
        held.removed_at = clock.now()
        session().flush()
    mapping = _mapped(control, requirement.id, coverage)
    session().add(mapping)
    key = frameworks.framework_by_id(requirement.framework_id).key
    entry = record(
        MAPPED,
        control,
        framework=key,
        requirement=requirement.ref,
        coverage=coverage,
        undoes=undoes,
    )
    _remember_mapping(control, requirement_id, entry.id, held.coverage if held else None, coverage)
    return mapping


def unmap(control: Control, requirement_id: UUID, *, undoes: UUID | None = None) -> None:
    """End a mapping; one that is not there is no fault."""
    held = _mapping(control, requirement_id)
    if held is None:
        return
    held.removed_at = clock.now()
    requirement = _requirement(requirement_id)
    key = frameworks.framework_by_id(requirement.framework_id).key
    entry = record(
        UNMAPPED,
        control,
        framework=key,
        requirement=requirement.ref,
        coverage=held.coverage,
        undoes=undoes,
    )
    _remember_mapping(control, requirement_id, entry.id, held.coverage, None)


def _remember_mapping(
    control: Control, requirement_id: UUID, entry_id: UUID, before: str | None, after: str | None
) -> None:
    told = {"requirement_id": requirement_id}
    undo.remember(
        "control.mapping",
        control.id,
        entry_id,
        before={**told, "coverage": before},
        after={**told, "coverage": after},
    )


# ---- undoing


UNDOABLE = {"control.owner", "control.mapping", "control.retired"}


@undo.restores("control.owner")
def _restore_owner(step: UndoStep) -> None:
    control = queries.find_control(step.target_id, lock=True)
    if undo.plain(control.owner_id) != step.after["owner"]:
        raise Overtaken(
            f"{control.ref} {control.title} was reassigned by {who_last(control.id, ASSIGNED)}."
        )
    assign(control, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


@undo.restores("control.mapping")
def _restore_mapping(step: UndoStep) -> None:
    control, requirement_id = (
        queries.find_control(step.target_id, lock=True),
        UUID(step.after["requirement_id"]),
    )
    held, before = _mapping(control, requirement_id), step.before["coverage"]
    if (held.coverage if held else None) != step.after["coverage"]:
        who = who_last(control.id, MAPPED, UNMAPPED)
        raise Overtaken(
            f"{control.ref}'s mapping to {_requirement(requirement_id).ref} was changed by {who}."
        )
    if before is None:
        unmap(control, requirement_id, undoes=step.entry_id)
    else:
        map_to(control, requirement_id, before, undoes=step.entry_id)


@undo.restores("control.retired")
def _restore_retired(step: UndoStep) -> None:
    control = queries.find_control(step.target_id, lock=True)
    if undo.plain(control.retired_at) != step.after["retired_at"]:
        raise Overtaken(
            f"{control.ref} {control.title} was restored by {who_last(control.id, RESTORED)}."
        )
    restore(control, undoes=step.entry_id)


def record_test(
    control: Control,
    *,
    tested_on: date,
    sample: int,
    failed: int,
    finding: str = "",
    retest_by: date | None = None,
    finding_ref: str | None = None,
    sample_id: UUID | None = None,
    retest_id: UUID | None = None,
    unsettled: int | None = None,
) -> ControlTest:
    """Record a test of `sample` items of which `failed` did not hold.

    A failure needs its finding and gets a ref (EXC-14).

    `sample_id`: it follows from that sample, of which `unsettled` exceptions are still open. By
    hand, the same test sent twice in a row is one test.
    """
    _testable(control)
    finding = finding.strip()[:2000]
    _test_rules(tested_on, sample, failed, finding, retest_by)
    if (
        sample_id is None
        and retest_id is None
        and (twin := _twin(control, tested_on, sample, failed, finding)) is not None
    ):
        return twin
    if failed and finding_ref is None:
        finding_ref = next_ref(ControlTest.finding_ref, "EXC", width=2)
    test = ControlTest(
        control_id=control.id,
        tested_on=tested_on,
        sample=sample,
        failed=failed,
        finding=finding,
        finding_ref=finding_ref if failed else None,
        retest_by=retest_by if failed else None,
        tested_by=current.actor().person_id,
        created_at=clock.now(),
        sample_id=sample_id,
        retest_id=retest_id,
        unsettled=unsettled,
    )
    session().add(test)
    record(
        TESTED,
        control,
        tested_on=tested_on,
        sample=sample,
        failed=failed,
        finding_ref=test.finding_ref,
        retest_by=test.retest_by,
        finding=finding or None,
    )
    return test


def _twin(
    control: Control, tested_on: date, sample: int, failed: int, finding: str
) -> ControlTest | None:
    """The last test by hand, if it says the same by the same person: a form that was sent again."""
    by_hand = select(ControlTest).where(
        ControlTest.control_id == control.id,
        ControlTest.sample_id.is_(None),
        ControlTest.retest_id.is_(None),
    )
    last = (
        session()
        .scalars(by_hand.order_by(ControlTest.created_at.desc(), ControlTest.id.desc()).limit(1))
        .one_or_none()
    )
    told = last and (last.tested_on, last.sample, last.failed, last.finding, last.tested_by)
    return last if told == (tested_on, sample, failed, finding, current.actor().person_id) else None


# ---- the starter pack


def _adopted(each: StarterControl) -> Control:
    control = _new(
        each.ref,
        each.title,
        each.does,
        kind=each.kind,
        automation=each.automation,
        cadence=each.cadence,
        owner_id=None,
        rests_on=each.rests_on,
    )
    session().add_all(
        _mapped(control, frameworks.requirement(key, ref).id, coverage)
        for key, ref, coverage in each.mappings
    )
    record(
        CREATED,
        control,
        ref=each.ref,
        title=each.title,
        kind=each.kind,
        automation=each.automation,
        cadence=each.cadence,
        rests_on=each.rests_on,
        source="starter pack",
        mappings=[f"{ref} {coverage}" for _, ref, coverage in each.mappings],
    )
    return control


def _begin_evidence(adopted: Sequence[tuple[Control, StarterControl]]) -> None:
    """One piece for each title; a live one that the tenant has already is linked, not begun
    again.
    """
    wanted: dict[str, list[tuple[Control, StarterControl]]] = {}
    for control, each in adopted:
        for title in each.evidence:
            wanted.setdefault(title, []).append((control, each))
    held = {
        e.title.casefold(): e
        for e in session().scalars(select(Evidence).where(Evidence.retired_at.is_(None)))
    }
    for title, users in wanted.items():
        there = held.get(title.casefold())
        if there is None:
            supported = {control.id: "" for control, _ in users}
            evidence.begin(
                title,
                kind="record",
                cadence=_tightest(users),
                due_on=clock.today() + FIRST_VERSION,
                controls=supported,
            )
            continue
        for control, _ in users:
            evidence.link(there, control.id)


def _tightest(users: Sequence[tuple[Control, StarterControl]]) -> str:
    """The shortest cadence of the controls that share the evidence."""
    return min((each.cadence for _, each in users), key=lambda c: CADENCES.get(c) or 9999)


# ---- rules


def _new(
    ref: str,
    title: str,
    does: str,
    *,
    kind: str,
    automation: str,
    cadence: str,
    owner_id: UUID | None,
    rests_on: str | None,
) -> Control:
    control = Control(
        **_checked(
            title, does, kind=kind, automation=automation, cadence=cadence, rests_on=rests_on
        ),
        ref=ref,
        owner_id=owner_id,
        retired_at=None,
        retirement_reason=None,
        created_at=clock.now(),
        version=1,
    )
    session().add(control)
    session().flush()
    return control


def _checked(title: str, does: str, *, rests_on: str | None, **choices: str) -> dict[str, Any]:
    title, does = " ".join(title.split()), does.strip()
    if not 1 <= len(title) <= 160:  # noqa: PLR2004 - a title
        raise Invalid("Enter a title of 1 to 160 characters.", field="title")
    if not 1 <= len(does) <= 4000:  # noqa: PLR2004 - a page of text
        raise Invalid(
            "Describe what is done and what evidence it leaves, in up to 4,000 characters.",
            field="does",
        )
    known: dict[str, Collection[str]] = {
        "kind": KINDS,
        "automation": AUTOMATIONS,
        "cadence": CADENCES,
    }
    for field, value in choices.items():
        if value not in known[field]:
            raise Invalid(f"“{value}” isn't an option. Choose one from the list.", field=field)
    if rests_on is not None and rests_on not in RESTS_ON:
        raise Invalid(f"Choose {' or '.join(RESTS_ON.values())}.", field="rests_on")
    return {"title": title, "does": does, **choices, "rests_on": rests_on}


def _test_rules(
    tested_on: date, sample: int, failed: int, finding: str, retest_by: date | None
) -> None:
    if tested_on > clock.today():
        raise Invalid("This day is in the future. Choose the day of the test.", field="tested_on")
    if not 1 <= sample <= 1_000_000:  # noqa: PLR2004 - a sample
        raise Invalid("Enter at least one tested item.", field="sample")
    if not 0 <= failed <= sample:
        raise Invalid(f"Enter 0 to {sample} failed items.", field="failed")
    if failed and not finding:
        raise Invalid(
            "Describe what failed. The finding stays on the control until a retest passes.",
            field="finding",
        )
    if retest_by is not None and retest_by < tested_on:
        raise Invalid("Choose a retest date on or after the test.", field="retest_by")


def _live(control: Control) -> None:
    if (why := why_not(control)) is not None:
        raise Retired(why)


def _workable(control: Control) -> None:
    _live(control)
    require(permissions.WORK, on=control)


def _testable(control: Control) -> None:
    _live(control)
    require(permissions.TEST, on=control)


def _requirement(requirement_id: UUID) -> frameworks.RequirementView:
    try:
        found = frameworks.requirement_by_id(requirement_id)
    except NotFound as error:
        raise Invalid("Choose a requirement from the list.", field="requirement_id") from error
    if not found.assessable:
        raise Invalid(
            f"{found.ref} is a group. Map the control to one of its requirements.",
            field="requirement_id",
        )
    return found


def _mapping(control: Control, requirement_id: UUID) -> ControlMapping | None:
    query = select(ControlMapping).where(
        ControlMapping.control_id == control.id, ControlMapping.requirement_id == requirement_id
    )
    return session().scalars(query.where(ControlMapping.removed_at.is_(None))).one_or_none()


def _mapped(control: Control, requirement_id: UUID, coverage: str) -> ControlMapping:
    return ControlMapping(
        control_id=control.id,
        requirement_id=requirement_id,
        coverage=coverage,
        mapped_by=current.actor().person_id,
        removed_at=None,
        created_at=clock.now(),
    )
