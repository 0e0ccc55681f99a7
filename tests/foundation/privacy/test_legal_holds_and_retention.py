"""Legal holds and the retention of encrypted parts.

Past it they are unreadable, and the log still verifies.
"""

from datetime import date

import pytest
from sqlalchemy import select, update

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry, DataKey
from governance.foundation.privacy import queries, retention_actions
from governance.foundation.privacy.jobs import destroy_expired_keys
from governance.foundation.privacy.models import LegalHold
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import JobRun
from tests.foundation.privacy.conftest import membership_id_of, sequence_and_recheck


def age_keys(subject: str, period: str) -> None:
    """Move a person's keys to that month, as if their data had been encrypted then.

    A key is bound to its month by context.
    """
    key = session().scalars(select(DataKey).where(DataKey.subject == subject)).first()
    session().execute(update(DataKey).where(DataKey.id == key.id).values(period=period))


def key_periods(subject: str) -> list[str]:
    return list(session().scalars(select(DataKey.period).where(DataKey.subject == subject)))


def shred_old_keys() -> list[AuditEntry]:
    return list(
        session().scalars(
            select(AuditEntry).where(AuditEntry.action == "audit.encrypted_fields.shredded")
        )
    )


def place_hold(visitor, on: str = "") -> None:
    visitor.post("privacy/holds/new", member=on, reason="Case 4711")


# ---- retention


def test_past_their_time_sealed_parts_are_unreadable_and_the_log_verifies(departing_member, acting):
    with acting("admin"):
        sealed = [
            s
            for e in session().scalars(select(AuditEntry))
            for s in e.sealed.values()
            if s["subject"] == departing_member.pseudonym
        ]
        age_keys(departing_member.pseudonym, "2012-10")
    destroy_expired_keys()
    with acting("admin"):
        assert key_periods(departing_member.pseudonym) == [] and all(
            personal_field_encryption.unseal("name", s) is None for s in sealed
        )
        assert [e.facts["keys"] for e in shred_old_keys()] == [1]
    assert sequence_and_recheck().ok


def test_what_is_within_its_time_stays_and_a_quiet_night_leaves_no_entry(departing_member, acting):
    oldest = retention_actions.oldest_kept_month(clock.today(), queries.DEFAULT_MONTHS)
    with acting("admin"):
        age_keys(departing_member.pseudonym, oldest)
        assert retention_actions.destroy_expired_keys() == 0 and shred_old_keys() == []
        assert key_periods(departing_member.pseudonym) == [oldest]


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 11, 25), 84, "2019-11"),
        (date(2026, 1, 31), 12, "2025-01"),
        (date(2026, 2, 1), 13, "2025-01"),
        (date(2026, 12, 1), 12, "2025-12"),
    ],
)
def test_the_first_month_that_is_kept(today, months, first):
    assert retention_actions.oldest_kept_month(today, months) == first


def test_keys_from_before_months_were_kept_count_as_of_the_month_in_which_they_ended(
    departing_member, acting
):
    with acting("admin"):
        age_keys(departing_member.pseudonym, "")
        assert personal_field_encryption.shred("2026-11", []) == 0
        assert (
            personal_field_encryption.shred("2026-12", []) >= 1
            and key_periods(departing_member.pseudonym) == []
        )


def test_the_night_is_worked_once(departing_member, acting):
    destroy_expired_keys()
    destroy_expired_keys()
    with acting("admin"):
        runs = (
            session()
            .scalars(select(JobRun.scope).where(JobRun.job == "destroy expired log keys"))
            .all()
        )
        assert sorted(runs) == ["acme", "console", "globex"]


def test_another_tenants_keys_are_kept_by_its_own_rule(as_admin, departing_member, acting):
    as_admin.post("privacy/retention", months="12", version="0")
    with acting("compliance_officer", "globex") as who:
        theirs = personal_field_encryption.pseudonym(who.person_id)
        age_keys(theirs, "2024-01")
    destroy_expired_keys()
    with acting("compliance_officer", "globex"):
        assert key_periods(theirs) == ["2024-01"] and queries.months_kept() == 84


@pytest.mark.parametrize("on", ["person", "tenant", "another"])
def test_a_hold_keeps_what_it_is_about(on, as_officer, departing_member, acting):
    place_hold(
        as_officer,
        {
            "person": str(departing_member.id),
            "tenant": "",
            "another": str(membership_id_of("viewer").id),
        }[on],
    )
    with acting("admin"):
        age_keys(departing_member.pseudonym, "2019-10")
        retention_actions.destroy_expired_keys()
        assert bool(key_periods(departing_member.pseudonym)) == (on != "another")


def test_a_released_hold_keeps_nothing(as_officer, departing_member, acting):
    place_hold(as_officer, str(departing_member.id))
    with acting("admin"):
        held = queries.holds()[0].id
    as_officer.post(f"privacy/holds/{held}/release", reason="Closed")
    with acting("admin"):
        age_keys(departing_member.pseudonym, "2019-10")
        assert retention_actions.destroy_expired_keys() == 1


def test_the_time_is_changed_by_an_admin_and_recorded(as_admin, as_officer, acting):
    assert "fields of the log for 7 years" in as_officer.get("privacy/").text
    as_admin.post("privacy/retention", months="18", version="0")
    assert "fields of the log for 18 months" in as_officer.get("privacy/").text
    as_officer.get("privacy/retention", then=403)
    with acting("admin"):
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "audit.retention.changed"))
            .one()
        )
        assert entry.changes == {"months": [84, 18]}


def test_two_tabs_do_not_overwrite_each_other(as_admin, acting):
    as_admin.post("privacy/retention", months="24", version="0")
    page = as_admin.post("privacy/retention", months="36", version="0", then=409).text
    assert "Someone else changed the retention" in page and 'value="1"' in page
    with acting("admin"):
        assert queries.months_kept() == 24
    as_admin.post("privacy/retention", months="36", version="1")


@pytest.mark.parametrize("months", ["11", "121", "x", "", "-5", "99999999999999999999"])
def test_a_time_outside_the_bounds_is_refused(as_admin, months):
    as_admin.post("privacy/retention", months=months, version="0", then=422)


# ---- legal holds


def test_a_hold_is_placed_and_released_with_reasons_in_the_log(
    as_officer, as_admin, departing_member, acting
):
    place_hold(as_officer, str(departing_member.id))
    as_officer.post("privacy/holds/new", then=422, member=str(departing_member.id), reason=" ")
    page = as_admin.get("privacy/").text
    assert "1 hold is active" in page and "Case 4711" in page
    with acting("admin"):
        held = queries.holds()[0].id
    as_admin.post(f"privacy/holds/{held}/release", then=422, reason="")
    as_admin.post(f"privacy/holds/{held}/release", reason="Closed")
    with acting("admin"):
        entries = (
            session()
            .scalars(
                select(AuditEntry)
                .where(AuditEntry.action.startswith("legal_hold."))
                .order_by(AuditEntry.at)
            )
            .all()
        )
        assert [e.action for e in entries] == ["legal_hold.placed", "legal_hold.released"]
        assert [
            personal_field_encryption.unseal("reason", e.sealed["reason"]) for e in entries
        ] == ["Case 4711", "Closed"]
        assert {e.sealed["reason"]["subject"] for e in entries} == {departing_member.pseudonym}


def test_others_place_no_holds_and_find_none(
    as_officer, as_neighbour, as_contributor, departing_member, acting
):
    as_contributor.post("privacy/holds/new", then=403, member="", reason="x")
    as_neighbour.post("privacy/holds/new", then=422, member=str(departing_member.id), reason="x")
    place_hold(as_officer)
    with acting("admin"):
        held = session().scalars(select(LegalHold.id)).one()
    as_neighbour.post(f"privacy/holds/{held}/release", then=404, reason="x")
    assert "No hold is active" in as_neighbour.get("privacy/").text
