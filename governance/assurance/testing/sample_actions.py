"""Set sample sizes, draw samples and record results."""

import secrets
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls import control_test_actions
from governance.assurance.controls.models import Control, ControlTest
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.testing import (
    exception_queries,
    permissions,
    population_queries,
    sample_queries,
)
from governance.assurance.testing.exception_actions import open_exception
from governance.assurance.testing.models import (
    ItemResult,
    Population,
    Sample,
    SampleItem,
    SamplingTable,
)
from governance.assurance.testing.population_import import parse_day
from governance.assurance.testing.sampling import (
    METHOD,
    advise_size,
    compact_seed,
    population_digest,
    stored_table,
)
from governance.assurance.testing.sampling import draw_items as drawn
from governance.assurance.testing.text_fields import MAX_TEXT_LENGTH, require_text
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import find, lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.safety.access import require

SAMPLE_SIZES_SET = action(
    "sampling.table.changed",
    "changed a sampling table",
    target="SamplingTable",
    activity="update",
    severity="low",
    fields="number sizes",
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
ITEM_TESTED = action(
    "sample.item.tested",
    "tested an item of a sample",
    target="ItemResult",
    activity="create",
    severity="informational",
    fields="control item_number outcome checks stands_in_for evidence",
    personal="item note",
)
ANSWERS = ("yes", "no", "na")
MAX_SAMPLE_SIZE = 500  # items
MAX_ATTRIBUTES = 10


class PopulationChanged(DomainError):
    """The rows of a population no longer match its stored SHA-256."""


def set_sample_sizes(
    sizes: Mapping[str, int], per_event: Sequence[int], *, reason: str, number: int
) -> SamplingTable:
    """Store the tenant's own sample sizes. Existing samples keep the rule they were drawn by."""
    lock_tenant("sampling table")
    before = sample_queries.stored_sample_sizes()
    if number != (before.number if before else 0):
        raise Stale(
            "Someone else changed the sample sizes after you opened this page."
            " Review them, then save again."
        )
    require_text(reason, "reason", "Enter a reason. It is stored with the sample sizes.")
    if any(not 1 <= n <= MAX_SAMPLE_SIZE for n in (*sizes.values(), *per_event)):
        raise Invalid(f"Each size must be between 1 and {MAX_SAMPLE_SIZE} items.")
    if list(per_event) != sorted(per_event):
        raise Invalid("A larger population can't need fewer items than a smaller one.")
    row = SamplingTable(
        number=number + 1,
        content=stored_table(sizes, per_event),
        reason=reason.strip()[:MAX_TEXT_LENGTH],
        changed_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(row)
    record(SAMPLE_SIZES_SET, row, reason=reason, number=row.number, sizes=row.content)
    return row


def draw_sample(
    population: Population,
    control: Control,
    *,
    attributes: Sequence[str],
    seed: str = "",
    size: int | None = None,
    reason: str = "",
) -> tuple[Sample, bool]:
    """Draw a sample. Return it and whether it is new.

    The same seed and size give the same sample, which the log records as redrawn. A size other than
    the rule's needs a reason. Raise PopulationChanged if the rows are not those that were frozen,
    and Invalid for a wrong size, seed or attribute.
    """
    require(permissions.TEST, on=control)
    if not population_queries.is_as_frozen(population):
        raise PopulationChanged(
            f"“{population.title}” changed after it was frozen: its SHA-256 is no longer"
            f" {population.sha256[:8]}…. No sample was drawn. Freeze the population again."
        )
    seed, names = _check_seed(seed), _check_attributes(attributes)
    advice = advise_size(sample_queries.sample_sizes(), control.cadence, population.row_count)
    chosen = advice.size if size is None else size
    _check_size(chosen, advice.size, population.row_count, reason)
    lock_tenant(f"samples of {population.id}")
    if (existing := sample_queries.sample_with_seed(population.id, seed, chosen)) is not None:
        if existing.attributes != names:
            raise Invalid(
                "A sample with this seed already exists and checks other attributes: "
                f"{'; '.join(existing.attributes)}. Use the same attributes or another seed.",
                field="attributes",
            )
        record(REDRAWN, existing, control=control.ref, size=chosen, seed=seed)
        return existing, False
    return (
        _store_sample(population, control, names, seed, chosen, advice.size, advice.rule, reason),
        True,
    )


def _store_sample(
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
    sample = Sample(
        population_id=population.id,
        rule=rule,
        size=size,
        advised=asked,
        reason=reason.strip()[:MAX_TEXT_LENGTH] if size != asked else "",
        seed=seed,
        population_sha256=population.sha256,
        attributes=attributes,
        drawn_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(sample)
    session().flush()
    column = population.date_column
    session().add_all(
        SampleItem(
            sample_id=sample.id,
            number=n,
            item=name,
            facts=by_id[name],
            dated=parse_day(by_id[name][column]) if column else None,
            created_at=clock.now(),
        )
        for n, name in enumerate(names, 1)
    )
    record(
        DRAWN,
        sample,
        reason=sample.reason or None,
        control=control.ref,
        size=size,
        advised=asked,
        rule=f"{rule}; {METHOD}",
        seed=seed,
        population_sha256=population.sha256,
        items=population_digest({"item": name} for name in names),
    )
    return sample


def _check_seed(seed: str) -> str:
    """Return the seed without spaces, or a new random one."""
    plain = compact_seed(seed)
    # A seed is a single line.
    if len(plain) > 64 or not plain.isascii() or not plain.isprintable():  # noqa: PLR2004
        raise Invalid("A seed can have up to 64 letters and digits.", field="seed")
    return plain or secrets.token_hex(4)


def _check_size(size: int, rule_size: int, population_size: int, reason: str) -> None:
    if size > population_size:
        raise Invalid(
            f"The population has only {population_size} items. Enter a smaller size.", field="size"
        )
    if not 1 <= size <= MAX_SAMPLE_SIZE:
        raise Invalid(f"A sample can have 1 to {MAX_SAMPLE_SIZE} items.", field="size")
    if size != rule_size and not reason.strip():
        raise Invalid(
            f"The rule requires {rule_size} items. Enter a reason for using {size}.", field="reason"
        )


def _check_attributes(entered: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(" ".join(name.split())[:160] for name in entered if name.strip()))
    if not 1 <= len(names) <= MAX_ATTRIBUTES:
        raise Invalid(
            f"Enter 1 to {MAX_ATTRIBUTES} attributes to check, one per line.",
            field="attributes",
        )
    return names


def record_result(
    item: SampleItem,
    checks: Mapping[str, str],
    *,
    note: str = "",
    evidence_version_id: UUID | None = None,
) -> ItemResult:
    """Record the result of one item. A result that replaces an earlier one needs a note."""
    return record_results([item], checks, note=note, evidence_version_id=evidence_version_id)[0]


def record_results(
    items: Sequence[SampleItem],
    checks: Mapping[str, str],
    *,
    note: str = "",
    evidence_version_id: UUID | None = None,
) -> list[ItemResult]:
    """Record the same result for several items of one sample: all or none."""
    if not items:
        raise Invalid("Select the items that you tested.")
    if len({item.sample_id for item in items}) != 1:
        raise Invalid("Select items from one sample only.")
    sample, _, control = sample_queries.sample(items[0].sample_id)
    require(permissions.TEST, on=control)
    lock_tenant(f"results of {sample.id}")
    answers = _check_answers(sample, checks, note)
    if evidence_version_id is not None:
        find(EvidenceVersion, evidence_version_id, what="version")
    made = [
        _store_result(item, control, answers, note.strip()[:MAX_TEXT_LENGTH], evidence_version_id)
        for item in items
    ]
    session().flush()
    _update_control_status(sample, control)
    return made


def _check_answers(sample: Sample, checks: Mapping[str, str], note: str) -> dict[str, str]:
    answers = {name: checks.get(name, "") for name in sample.attributes}
    if missing := [name for name, answer in answers.items() if answer not in ANSWERS]:
        raise Invalid(f"Answer yes, no or not applicable for “{missing[0]}”.", field="checks")
    if set(answers.values()) == {"na"}:
        raise Invalid(
            "At least one attribute must apply to the item.",
            field="checks",
        )
    if "no" in answers.values() and not note.strip():
        raise Invalid(
            "Describe what was missing. The note is stored with the exception.", field="note"
        )
    return answers


def _store_result(
    item: SampleItem,
    control: Control,
    answers: dict[str, str],
    note: str,
    evidence_version_id: UUID | None,
) -> ItemResult:
    before = next(iter(sample_queries.results(item.id)), None)
    if before is not None:
        _check_may_replace(item, before, note)
    outcome = "failed" if "no" in answers.values() else "passed"
    result = ItemResult(
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
    session().add(result)
    record(
        ITEM_TESTED,
        result,
        control=control.ref,
        item_number=item.number,
        outcome=outcome,
        checks=list(answers.values()),
        stands_in_for=before.number if before else None,
        evidence=str(evidence_version_id) if evidence_version_id else None,
        item=item.item,
        note=note or None,
    )
    if outcome == "failed" and exception_queries.exception_of_item(item.id) is None:
        open_exception(
            item, control, [name for name, answer in answers.items() if answer == "no"], note
        )
    return result


def _check_may_replace(item: SampleItem, before: ItemResult, note: str) -> None:
    """Check that the acting person may replace the result of an item.

    Only an auditor replaces an auditor's result. Nobody replaces a result whose exception a retest
    closed.
    """
    require(permissions.REPLACE, on=before)
    if not note:
        raise Invalid(
            f"Item {item.number} already has a result. Explain why you are replacing it.",
            field="note",
        )
    found = exception_queries.exception_of_item(item.id)
    if found is not None and exception_queries.exception_case(found.id).state == "closed":
        raise DomainError(
            f"A retest closed {found.ref}, so the result of item {item.number} can't change."
        )


def _is_auditor() -> bool:
    return current.actor().role == "auditor"


def _update_control_status(sample: Sample, control: Control) -> None:
    """Record a control test when failures or open exceptions change, and after the last item."""
    views = sample_queries.items(sample.id)
    done = [v for v in views if v.result is not None]
    failed = [v for v in done if v.result is not None and v.result.outcome == "failed"]
    open_refs = exception_queries.open_exception_refs(sample.id)
    if not _changes_control_status(
        sample, len(done), len(failed), len(open_refs), whole=len(done) == len(views)
    ):
        return
    refs = sorted(
        (v.exception.ref for v in failed if v.exception is not None),
        key=lambda ref: ref not in open_refs,
    )
    names = ", ".join(f"{v.item.item} (item {v.item.number})" for v in failed[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""  # noqa: PLR2004 - a line
    first = failed[0].exception.says if failed and failed[0].exception is not None else ""
    finding = first if len(failed) == 1 else f"Failed: {names}{more}" if failed else ""
    control_test_actions.record_test(
        control,
        tested_on=clock.today(),
        sample=len(done),
        failed=len(failed),
        finding=finding,
        finding_ref=refs[0] if refs else None,
        sample_id=sample.id,
        unsettled=len(open_refs),
    )


def _changes_control_status(
    sample: Sample, done: int, failed: int, unsettled: int, *, whole: bool
) -> bool:
    """Check whether the counts differ from those of the sample's last control test."""
    query = select(ControlTest).where(ControlTest.sample_id == sample.id)
    recorded = (
        session()
        .scalars(query.order_by(ControlTest.created_at.desc(), ControlTest.id.desc()))
        .all()
    )
    own = next((t for t in recorded if t.retest_id is None), None)
    if (failed, unsettled) != (own.failed if own else 0, recorded[0].unsettled if recorded else 0):
        return True
    return whole and (own is None or own.sample != done)
