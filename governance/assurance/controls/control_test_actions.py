"""Record tests of controls. A failed test opens a finding."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls import permissions
from governance.assurance.controls.actions import check_is_live
from governance.assurance.controls.models import Control, ControlTest
from governance.assurance.evidence.reference_numbers import next_ref
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require

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
    """Record a test of `sample` items, with `failed` failures.

    A failure needs a finding and gets a ref (EXC-14). `sample_id` is the Type II sample that the
    test is based on, with `unsettled` open exceptions. Idempotent: the same manual test submitted
    twice is one test.
    """
    _require_testable(control)
    finding = finding.strip()[:2000]
    _check_test(tested_on, sample, failed, finding, retest_by)
    if (
        sample_id is None
        and retest_id is None
        and (twin := _same_test(control, tested_on, sample, failed, finding)) is not None
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


def _same_test(
    control: Control, tested_on: date, sample: int, failed: int, finding: str
) -> ControlTest | None:
    """Return the last manual test if the same person recorded the same values, as in a resent form."""
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
    values = last and (last.tested_on, last.sample, last.failed, last.finding, last.tested_by)
    return (
        last if values == (tested_on, sample, failed, finding, current.actor().person_id) else None
    )


def _check_test(
    tested_on: date, sample: int, failed: int, finding: str, retest_by: date | None
) -> None:
    if tested_on > clock.today():
        raise Invalid("This date is in the future. Choose the date of the test.", field="tested_on")
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


def _require_testable(control: Control) -> None:
    check_is_live(control)
    require(permissions.TEST, on=control)
