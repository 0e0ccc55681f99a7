"""What testers and those who answer for controls do.

Nothing that was frozen, drawn or found is ever changed or deleted.

    set_table                              how many items are tested, by cadence
    freeze, freeze_found, freeze_versions  a population, for good
    draw                                   a sample from it, by the rule and a seed
    record_result, record_results          what was found of an item; a failed one opens an
                                           exception and lowers the control
    record_missed                          a missed cycle as an exception: nothing was drawn,
                                           nothing was there
    answer                                 cause, effect, correction, and what management says to an
                                           exception
    raise_finding, remedy, retest          who fixes it by when; that it is fixed; that it holds
                                           again, which closes it

An auditor does the testing within their engagement: its controls, and while its window is open
(kernel/visibility_scope.py).
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.collectors import queries as collectors
from governance.assurance.controls import actions as controls
from governance.assurance.controls.models import Control, ControlTest
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.evidence.reference_numbers import DIGITS, next_ref
from governance.assurance.testing import permissions, queries
from governance.assurance.testing.models import (
    Finding,
    ItemResult,
    Population,
    Retest,
    Sample,
    SampleItem,
    SamplingTable,
    TestException,
)
from governance.assurance.testing.occurrences import Cycle, cycles
from governance.assurance.testing.population_import import Rows, checked, day_of
from governance.assurance.testing.sampling import METHOD, advised, digest, kept, plain_seed
from governance.assurance.testing.sampling import draw as drawn
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.kernel import clock, current
from governance.kernel.access import require
from governance.kernel.db import alone, find, session
from governance.kernel.errors import DomainError, Invalid, Stale

TABLE_SET = action(
    "sampling.table.changed",
    "changed a sampling table",
    target="SamplingTable",
    activity="update",
    severity="low",
    fields="number sizes",
)
FROZEN = action(
    "population.frozen",
    "froze a population",
    target="Population",
    activity="create",
    severity="informational",
    fields="control key source period_from period_to run_at row_count sha256",
    personal="title",
)
DRAWN = action(
    "sample.drawn",
    "drew a sample",
    target="Sample",
    activity="create",
    severity="informational",
    fields="control size advised rule seed population_sha256 items",
)
REDRAWN = action(
    "sample.redrawn",
    "redrew a sample from its seed and got the same items",
    target="Sample",
    activity="read",
    severity="informational",
    fields="control size seed",
)
TAKEN_OUT = action(
    "population.downloaded",
    "downloaded a population",
    target="Population",
    activity="read",
    severity="low",
    fields="row_count sha256",
)
RESULT = action(
    "sample.item.tested",
    "tested an item of a sample",
    target="ItemResult",
    activity="create",
    severity="informational",
    fields="control item_number outcome checks stands_in_for evidence",
    personal="item note",
)
EXCEPTION_OPENED = action(
    "test.exception.opened",
    "opened an exception",
    target="TestException",
    activity="create",
    severity="low",
    fields="ref control item_number",
    personal="says",
)
MISSED_RECORDED = action(
    "test.exception.recorded",
    "recorded a missed cycle as an exception",
    target="TestException",
    activity="create",
    severity="low",
    fields="ref control cadence missed_from missed_to",
    personal="says cause effect correction",
)
EXCEPTION_ANSWERED = action(
    "test.exception.answered",
    "answered an exception",
    target="TestException",
    activity="update",
    severity="informational",
    fields="ref",
    personal="cause effect correction response",
)
FINDING_RAISED = action(
    "finding.raised",
    "raised a finding",
    target="Finding",
    activity="create",
    severity="medium",
    fields="ref exception due_on",
    persons="owner",
    personal="title plan",
)
FINDING_REMEDIED = action(
    "finding.remediated",
    "reported a finding as remediated",
    target="Finding",
    activity="update",
    severity="informational",
    fields="ref",
    personal="remedy",
)
RETESTED = action(
    "finding.retested",
    "retested a finding",
    target="Retest",
    activity="create",
    severity="informational",
    fields="ref sample failed tested_on closed",
    personal="note",
)

ANSWERS = ("yes", "no", "na")
MOST_SAMPLE, MOST_ATTRIBUTES, LONGEST = 500, 10, 2000


class Changed(DomainError):
    """The rows behind a frozen population are no longer those that were frozen."""


# ---- the sizes


def set_table(
    sizes: Mapping[str, int], per_event: Sequence[int], *, reason: str, number: int
) -> SamplingTable:
    """The tenant's own table; samples that were drawn keep the rule that they were drawn by."""
    alone("sampling table")
    held = queries.table_row()
    if number != (held.number if held else 0):
        raise Stale("Somebody else changed the table since you opened this page.")
    _needs(reason, "reason", "Say why: the reason is kept with the table.")
    if any(not 1 <= n <= MOST_SAMPLE for n in (*sizes.values(), *per_event)):
        raise Invalid(f"A size is between 1 and {MOST_SAMPLE}.")
    if list(per_event) != sorted(per_event):
        raise Invalid("A larger population asks for no fewer items than a smaller one.")
    row = SamplingTable(
        number=number + 1,
        content=kept(sizes, per_event),
        reason=reason.strip()[:LONGEST],
        changed_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(row)
    record(TABLE_SET, row, reason=reason, number=row.number, sizes=row.content)
    return row


# ---- populations


def freeze(
    control: Control,
    *,
    key: str,
    title: str,
    query: str,
    parameters: Mapping[str, Any],
    rows: Rows,
    period_from: date,
    period_to: date,
    run_at: datetime,
    run_by: str,
    source: str,
) -> Population:
    """Keep a population as it is now, for good.

    The same rows of the same query and period are frozen once.
    """
    _period(period_from, period_to, run_at)
    _needs(query, "query", "Say how it was found: the query or the report, word for word.")
    _needs(title, "title", "What is it a list of?")
    _needs(run_by, "run_by", "Say which system or person ran it.")
    alone(f"populations of {control.id}")
    sha256 = digest(rows.rows)
    if (twin := _twin(control.id, key, period_from, period_to, sha256)) is not None:
        return twin
    held = Population(
        control_id=control.id,
        key=key[:160],
        title=title.strip()[:200],
        source=source,
        query=query.strip()[: LONGEST * 2],
        parameters=dict(parameters),
        period_from=period_from,
        period_to=period_to,
        run_at=run_at,
        run_by=run_by.strip()[:160],
        frozen_by=current.person_id(),
        id_column=rows.id_column,
        date_column=rows.date_column,
        by_month=dict(rows.by_month),
        row_count=len(rows.rows),
        sha256=sha256,
        rows=list(rows.rows),
        created_at=clock.now(),
    )
    session().add(held)
    record(
        FROZEN,
        held,
        control=control.ref,
        key=held.key,
        source=source,
        period_from=period_from,
        period_to=period_to,
        run_at=run_at,
        row_count=held.row_count,
        sha256=sha256,
        title=held.title,
    )
    return held


def freeze_found(control: Control, key: str, period_from: date, period_to: date) -> Population:
    """What a collector's query finds now."""
    if key not in {k for k, _ in queries.offered(control.ref)}:
        raise Invalid("That collector does not serve this control.", field="key")
    found = collectors.population(key, period_from, period_to)
    rows = checked(found.rows, found.title)
    return freeze(
        control,
        key=found.key,
        title=found.title,
        query=found.query,
        rows=rows,
        period_from=period_from,
        period_to=period_to,
        parameters={
            **found.parameters,
            "time zone": "UTC",
            "SHA-256 of the collector's table": found.sha256,
        },
        run_at=found.run_at,
        run_by=found.run_by,
        source="collector",
    )


def freeze_versions(control: Control, period_from: date, period_to: date) -> Population:
    """The accepted versions of the control's evidence: for what leaves one piece of evidence each
    time.
    """
    rows = checked(
        queries.versions_of(control.id, period_from, period_to), "The evidence of this control"
    )
    return freeze(
        control,
        key="evidence",
        title=f"Accepted evidence of {control.ref}",
        query=VERSIONS_QUERY,
        rows=rows,
        period_from=period_from,
        period_to=period_to,
        parameters={
            "control": control.ref,
            "from": period_from.isoformat(),
            "to": period_to.isoformat(),
            "time zone": "UTC",
        },
        run_at=clock.now(),
        run_by=(
            "this console, for person"
            f" {personal_field_encryption.pseudonym(current.person_id())[:8]}"
        ),
        source="evidence",
    )


def take_out(held: Population) -> None:
    """Note that somebody takes the whole of it away."""
    record(TAKEN_OUT, held, row_count=held.row_count, sha256=held.sha256)


VERSIONS_QUERY = (
    "accepted versions of live links to the control, none of them destroyed, missing or altered, "
    "whose covered period ends within the parameters, by its end, ref and number"
)


def _twin(control_id: UUID, key: str, first: date, last: date, sha256: str) -> Population | None:
    """Those rows of that query, if they were the last that it gave."""
    query = select(Population).where(
        Population.control_id == control_id,
        Population.key == key,
        Population.period_from == first,
        Population.period_to == last,
    )
    newest = (
        session()
        .scalars(query.order_by(Population.created_at.desc(), Population.id.desc()).limit(1))
        .one_or_none()
    )
    return newest if newest is not None and newest.sha256 == sha256 else None


def _period(first: date, last: date, run_at: datetime) -> None:
    if last < first:
        raise Invalid("The period ends before it begins.", field="period_to")
    if run_at > clock.now():
        raise Invalid("It was run in the future.", field="run_at")


# ---- samples


def draw(
    population: Population,
    control: Control,
    *,
    attributes: Sequence[str],
    seed: str = "",
    size: int | None = None,
    reason: str = "",
) -> tuple[Sample, bool]:
    """A sample, and whether it is new: the same seed and size draw the same one, which is said in
    the log.

    The size is the rule's; another one needs its reason, and none is larger than the population.
    Refused when the rows are not those that were frozen.
    """
    require(permissions.TEST, on=control)
    if not queries.is_as_frozen(population):
        raise Changed(
            f"“{population.title}” was changed after it was frozen: its rows have another SHA-256"
            f" than {population.sha256[:8]}…. Nothing is drawn from it. Freeze the population"
            " again."
        )
    seed, names = _seed(seed), _attributes(attributes)
    advice = advised(queries.table(), control.cadence, population.row_count)
    wanted = advice.size if size is None else size
    _size(wanted, advice.size, population.row_count, reason)
    alone(f"samples of {population.id}")
    if (there := queries.sample_of(population.id, seed, wanted)) is not None:
        if there.attributes != names:
            raise Invalid(
                "With this seed the sample was drawn already, and its items are checked for: "
                f"{'; '.join(there.attributes)}. Check for the same, or take another seed.",
                field="attributes",
            )
        record(REDRAWN, there, control=control.ref, size=wanted, seed=seed)
        return there, False
    return _drawn(population, control, names, seed, wanted, advice.size, advice.rule, reason), True


def _drawn(
    population: Population,
    control: Control,
    attributes: list[str],
    seed: str,
    size: int,
    asked: int,
    rule: str,
    reason: str,
) -> Sample:
    by_id = {row[population.id_column]: row for row in population.rows}
    names = drawn(by_id, seed, population.sha256, size)
    held = Sample(
        population_id=population.id,
        rule=rule,
        size=size,
        advised=asked,
        reason=reason.strip()[:LONGEST] if size != asked else "",
        seed=seed,
        population_sha256=population.sha256,
        attributes=attributes,
        drawn_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(held)
    session().flush()
    column = population.date_column
    session().add_all(
        SampleItem(
            sample_id=held.id,
            number=n,
            item=name,
            facts=by_id[name],
            dated=day_of(by_id[name][column]) if column else None,
            created_at=clock.now(),
        )
        for n, name in enumerate(names, 1)
    )
    record(
        DRAWN,
        held,
        reason=held.reason or None,
        control=control.ref,
        size=size,
        advised=asked,
        rule=f"{rule}; {METHOD}",
        seed=seed,
        population_sha256=population.sha256,
        items=digest({"item": name} for name in names),
    )
    return held


def _seed(seed: str) -> str:
    """What was given, or a new one that nobody chose."""
    plain = plain_seed(seed)
    # one line
    if len(plain) > 64 or not plain.isascii() or not plain.isprintable():  # noqa: PLR2004
        raise Invalid("A seed is at most 64 letters and digits.", field="seed")
    return plain or secrets.token_hex(4)


def _size(wanted: int, asked: int, there: int, reason: str) -> None:
    if wanted > there:
        raise Invalid(f"A sample of {wanted} cannot come of {there} items.", field="size")
    if not 1 <= wanted <= MOST_SAMPLE:
        raise Invalid(f"A sample has 1 to {MOST_SAMPLE} items.", field="size")
    if wanted != asked and not reason.strip():
        raise Invalid(f"The rule asks for {asked}. Say why it is {wanted}.", field="reason")


def _attributes(given: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(" ".join(name.split())[:160] for name in given if name.strip()))
    if not 1 <= len(names) <= MOST_ATTRIBUTES:
        raise Invalid(
            f"Say what each item is checked for, one a line: 1 to {MOST_ATTRIBUTES} attributes.",
            field="attributes",
        )
    return names


# ---- results


def record_result(
    item: SampleItem,
    checks: Mapping[str, str],
    *,
    note: str = "",
    evidence_version_id: UUID | None = None,
) -> ItemResult:
    """What was found of one item.

    Another result stands in for the one before, which stays; it says why.
    """
    return record_results([item], checks, note=note, evidence_version_id=evidence_version_id)[0]


def record_results(
    items: Sequence[SampleItem],
    checks: Mapping[str, str],
    *,
    note: str = "",
    evidence_version_id: UUID | None = None,
) -> list[ItemResult]:
    """The same found of several items of one sample, all or none."""
    if not items:
        raise Invalid("Nothing is selected. Tick the items that were tested.")
    if len({item.sample_id for item in items}) != 1:
        raise Invalid("The items are of several samples. Record each sample for itself.")
    sample, _, control = queries.sample(items[0].sample_id)
    require(permissions.TEST, on=control)
    alone(f"results of {sample.id}")
    answers = _answers(sample, checks, note)
    if evidence_version_id is not None:
        find(EvidenceVersion, evidence_version_id, what="version")
    made = [
        _result(item, control, answers, note.strip()[:LONGEST], evidence_version_id)
        for item in items
    ]
    session().flush()
    _follow(sample, control)
    return made


def _answers(sample: Sample, checks: Mapping[str, str], note: str) -> dict[str, str]:
    answers = {name: checks.get(name, "") for name in sample.attributes}
    if missing := [name for name, said in answers.items() if said not in ANSWERS]:
        raise Invalid(f"Say yes, no or not applicable for “{missing[0]}”.", field="checks")
    if set(answers.values()) == {"na"}:
        raise Invalid(
            "At least one attribute must apply: an item to which none applies proves nothing.",
            field="checks",
        )
    if "no" in answers.values() and not note.strip():
        raise Invalid("Say what was missing: the note stands with the exception.", field="note")
    return answers


def _result(
    item: SampleItem,
    control: Control,
    answers: dict[str, str],
    note: str,
    evidence_version_id: UUID | None,
) -> ItemResult:
    before = next(iter(queries.results(item.id)), None)
    if before is not None:
        _replaces(item, before, note)
    outcome = "failed" if "no" in answers.values() else "passed"
    held = ItemResult(
        sample_item_id=item.id,
        number=before.number + 1 if before else 1,
        outcome=outcome,
        checks=answers,
        note=note,
        evidence_version_id=evidence_version_id,
        tested_by=current.person_id(),
        by_auditor=_is_auditor(),
        created_at=clock.now(),
    )
    session().add(held)
    record(
        RESULT,
        held,
        control=control.ref,
        item_number=item.number,
        outcome=outcome,
        checks=list(answers.values()),
        stands_in_for=before.number if before else None,
        evidence=str(evidence_version_id) if evidence_version_id else None,
        item=item.item,
        note=note or None,
    )
    if outcome == "failed" and queries.exception_of_item(item.id) is None:
        _open_exception(
            item, control, [name for name, said in answers.items() if said == "no"], note
        )
    return held


def _replaces(item: SampleItem, before: ItemResult, note: str) -> None:
    """What the auditor found stays until an auditor finds otherwise, and what a retest closed stays
    as it is.
    """
    require(permissions.REPLACE, on=before)
    if not note:
        raise Invalid(
            f"Item {item.number} has a result already. Say why another one stands in for it.",
            field="note",
        )
    found = queries.exception_of_item(item.id)
    if found is not None and queries.case(found.id).state == "closed":
        raise DomainError(
            f"{found.ref} of item {item.number} was closed by its retest. Its result stays as"
            " it is."
        )


def _is_auditor() -> bool:
    return current.actor().role == "auditor"


def _open_exception(
    item: SampleItem, control: Control, failed: Sequence[str], note: str
) -> TestException:
    says = f"{item.item}: {', '.join(failed)}: no. {note}"[:LONGEST]
    held = TestException(
        ref=_next_exception(),
        control_id=control.id,
        sample_item_id=item.id,
        missed_from=None,
        missed_to=None,
        says=says,
        cause="",
        effect="",
        correction="",
        response="",
        version=1,
        found_by=current.person_id(),
        responded_by=None,
        created_at=clock.now(),
    )
    session().add(held)
    record(
        EXCEPTION_OPENED,
        held,
        ref=held.ref,
        control=control.ref,
        item_number=item.number,
        says=says,
    )
    return held


def _next_exception() -> str:
    """One row of numbers for exceptions of samples and for tests that were recorded by hand."""
    refs = (
        next_ref(ControlTest.finding_ref, "EXC", width=2),
        next_ref(TestException.ref, "EXC", width=2),
    )
    # it ends in digits
    return max(refs, key=lambda ref: int(DIGITS.search(ref)[1]))  # type: ignore[index]


def _follow(sample: Sample, control: Control) -> None:
    """The control's status follows: as soon as what failed or is open changes, and when the last
    item is tested.
    """
    views = queries.items(sample.id)
    done = [v for v in views if v.result is not None]
    failed = [v for v in done if v.result is not None and v.result.outcome == "failed"]
    open_refs = queries.open_refs(sample.id)
    if not _is_news(sample, len(done), len(failed), len(open_refs), whole=len(done) == len(views)):
        return
    refs = sorted(
        (v.exception.ref for v in failed if v.exception is not None),
        key=lambda ref: ref not in open_refs,
    )
    names = ", ".join(f"{v.item.item} (item {v.item.number})" for v in failed[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""  # noqa: PLR2004 - a line
    first = failed[0].exception.says if failed and failed[0].exception is not None else ""
    finding = first if len(failed) == 1 else f"Failed: {names}{more}" if failed else ""
    controls.record_test(
        control,
        tested_on=clock.today(),
        sample=len(done),
        failed=len(failed),
        finding=finding,
        finding_ref=refs[0] if refs else None,
        sample_id=sample.id,
        unsettled=len(open_refs),
    )


def _is_news(sample: Sample, done: int, failed: int, unsettled: int, *, whole: bool) -> bool:
    """Whether it is not what the tests that were last recorded of this sample say."""
    query = select(ControlTest).where(ControlTest.sample_id == sample.id)
    told = (
        session()
        .scalars(query.order_by(ControlTest.created_at.desc(), ControlTest.id.desc()))
        .all()
    )
    own = next((t for t in told if t.retest_id is None), None)
    if (failed, unsettled) != (own.failed if own else 0, told[0].unsettled if told else 0):
        return True
    return whole and (own is None or own.sample != done)


# ---- exceptions and findings


def record_missed(
    control: Control, last_day: date | None, *, cause: str, effect: str, correction: str
) -> TestException:
    """The missed cycle that ends on that day, as an exception.

    It is one for good, even if it is repaired; once for each cycle.
    """
    require(permissions.TEST, on=control)
    alone(f"missed cycles of {control.id}")
    cycle = (
        next((c for c in cycles(control.cadence, last_day, last_day)), None) if last_day else None
    )
    if cycle is not None and (there := queries.exception_of_cycle(control.id, cycle)) is not None:
        raise Invalid(f"{cycle.says} is recorded already: {there.ref}.", field="occurrence")
    if cycle is None or cycle not in queries.missed(control.id):
        raise Invalid("That cycle is not missed. Choose one that is.", field="occurrence")
    said = {
        name: text.strip()[:LONGEST]
        for name, text in (("cause", cause), ("effect", effect), ("correction", correction))
    }
    for name, text in said.items():
        _needs(text, name, "A missed cycle needs its cause, its effect and its correction.")
    says = f"Not performed for {cycle.says}: no accepted evidence covers {_span(cycle)} in time"
    held = TestException(
        ref=_next_exception(),
        control_id=control.id,
        sample_item_id=None,
        missed_from=cycle.first,
        missed_to=cycle.last,
        says=says,
        **said,
        response="",
        version=1,
        found_by=current.person_id(),
        responded_by=None,
        created_at=clock.now(),
    )
    session().add(held)
    record(
        MISSED_RECORDED,
        held,
        ref=held.ref,
        control=control.ref,
        cadence=control.cadence,
        missed_from=cycle.first,
        missed_to=cycle.last,
        says=says,
        cause=held.cause,
        effect=held.effect,
        correction=held.correction,
    )
    return held


def _span(cycle: Cycle) -> str:
    last = f"{cycle.last.day} {cycle.last:%B %Y}"
    return last if cycle.first == cycle.last else f"{cycle.first.day} {cycle.first:%B %Y} to {last}"


def answer(
    held: TestException, *, version: int, cause: str, effect: str, correction: str, response: str
) -> None:
    """Why it happened, what it led to, what was put right, and what management says to it."""
    if version != held.version:
        raise Stale(f"Somebody else answered {held.ref} since you opened this page.")
    after = {"cause": cause, "effect": effect, "correction": correction, "response": response}
    after = {name: text.strip()[:LONGEST] for name, text in after.items()}
    for name, text in after.items():
        _needs(
            text,
            name,
            "An exception needs its cause, its effect, its correction and management's response.",
        )
    before = {name: getattr(held, name) for name in after}
    if before == after:
        return
    for name, text in after.items():
        setattr(held, name, text)
    held.version += 1
    held.responded_by = current.person_id()
    record(EXCEPTION_ANSWERED, held, before=before, after=after, ref=held.ref)


def raise_finding(
    held: TestException, *, title: str, plan: str, owner_id: UUID, due_on: date
) -> Finding:
    """Who fixes it, how and by when. One exception leads to one finding."""
    alone(f"finding of {held.id}")
    if queries.finding_of(held.id) is not None:
        raise DomainError(f"{held.ref} has its finding already.")
    if queries.case(held.id).state == "set aside":
        raise DomainError(
            f"{held.ref} is set aside: a later result let its item pass. There is nothing to fix."
        )
    _needs(title, "title", "What is wrong, in a line?")
    _needs(plan, "plan", "Say how you will fix it.")
    check_may_own(owner_id)
    if due_on < clock.today():
        raise Invalid("Choose a day in the future by which it will be fixed.", field="due_on")
    finding = Finding(
        ref=next_ref(Finding.ref, "FND", width=2),
        exception_id=held.id,
        title=title.strip()[:200],
        plan=plan.strip()[:LONGEST],
        owner_id=owner_id,
        due_on=due_on,
        raised_by=current.person_id(),
        remedy="",
        remedied_at=None,
        remedied_by=None,
        closed_at=None,
        created_at=clock.now(),
    )
    session().add(finding)
    record(
        FINDING_RAISED,
        finding,
        ref=finding.ref,
        exception=held.ref,
        due_on=due_on,
        owner=owner_id,
        title=finding.title,
        plan=finding.plan,
    )
    return finding


def remedy(finding: Finding, what: str) -> None:
    """Its owner, or who manages tests, says that it is fixed and how; only a retest closes it."""
    me = current.person_id()
    require(permissions.REMEDY, on=finding)
    if finding.closed_at is not None:
        raise DomainError(f"{finding.ref} is closed.")
    _needs(what, "remedy", "Say what was done.")
    if (
        finding.remedied_at is not None
    ):  # who reported it stays: he does not retest it, whoever tells it again
        if finding.remedied_by == me and finding.remedy == what.strip()[:LONGEST]:
            return
        raise DomainError(f"{finding.ref} was already reported as fixed. It awaits its retest.")
    before = {"remedy": finding.remedy}
    finding.remedy, finding.remedied_at, finding.remedied_by = (
        what.strip()[:LONGEST],
        clock.now(),
        me,
    )
    record(
        FINDING_REMEDIED, finding, before=before, after={"remedy": finding.remedy}, ref=finding.ref
    )


def retest(
    finding: Finding,
    held: TestException,
    control: Control,
    *,
    tested_on: date,
    sample: int,
    failed: int,
    note: str,
) -> Retest:
    """Tried again by somebody who did not fix it.

    One that passes closes the finding; either way the control follows.
    """
    require(permissions.TEST, on=control)
    require(permissions.RETEST, on=finding)
    if finding.closed_at is not None:
        raise DomainError(f"{finding.ref} is closed: its retest passed.")
    if finding.remedied_at is None:
        raise DomainError(f"{finding.ref} isn't fixed yet. It can be retested once it is fixed.")
    if tested_on < finding.remedied_at.date():
        raise Invalid("A retest comes after the repair.", field="tested_on")
    _needs(note, "note", "Say what was tried and what was found.")
    if (of := queries.sample_id_of(held)) is not None:
        alone(f"results of {of}")
    row = Retest(
        finding_id=finding.id,
        tested_on=tested_on,
        sample=sample,
        failed=failed,
        note=note.strip()[:LONGEST],
        tested_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(row)
    if not failed:
        finding.closed_at = clock.now()
    else:
        finding.remedied_at = finding.remedied_by = None
    session().flush()
    controls.record_test(
        control,
        tested_on=tested_on,
        sample=sample,
        failed=failed,
        finding=f"Retest of {finding.ref}: {note.strip()}" if failed else "",
        finding_ref=held.ref if failed else None,
        sample_id=of,
        retest_id=row.id,
        unsettled=None if of is None else len(queries.open_refs(of)),
    )
    record(
        RETESTED,
        row,
        ref=finding.ref,
        sample=sample,
        failed=failed,
        tested_on=tested_on,
        closed=not failed,
        note=row.note,
    )
    return row


# ---- rules


def _needs(text: str, field: str, sentence: str) -> None:
    if not text.strip():
        raise Invalid(sentence, field=field)
