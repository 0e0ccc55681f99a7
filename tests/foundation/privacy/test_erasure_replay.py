"""Erasures after a restored backup: nothing starts until the erasure list was replayed."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import queries as directory
from governance.foundation.people.jobs import actor_of
from governance.foundation.privacy import erasure_list, erasure_replay
from governance.foundation.privacy.models import Erasure
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Unavailable
from governance.kernel.files import storage
from governance.kernel.work import jobs
from tests.foundation.approvals.approval_helpers import approvals_in_inbox, decide_approval
from tests.foundation.privacy.conftest import (
    ADDRESS,
    NAME,
    erase_person,
    request_erasure,
    rows_with,
    sequence_and_recheck,
)


@pytest.fixture
def restored_database(as_officer, as_admin, departing_member, acting, isolated):
    """Restore a database from before the erasure: all changes since are rolled back.

    The erasure list is kept.
    """
    before = isolated.begin_nested()
    erase_person(as_officer, as_admin, departing_member)
    before.rollback()
    with acting("admin"):
        assert rows_with(NAME) and personal_field_encryption.has_keys(departing_member.pseudonym)
    return departing_member


def done(acting) -> list[AuditEntry]:
    with acting("admin"):
        found = (
            session().scalars(select(AuditEntry).where(AuditEntry.action == "person.erased")).all()
        )
        session().expunge_all()
    return found


def test_what_the_backup_brought_back_is_found_and_erased_again(restored_database, acting):
    waiting = erasure_replay.pending()
    assert [w.subject for w in waiting] == [restored_database.pseudonym]
    assert "older than 1 erasure on the erasure list" in erasure_replay.refusal(waiting)
    assert erasure_replay.replay() == waiting
    assert erasure_replay.pending() == []
    with acting("admin"):
        assert rows_with(NAME) == rows_with(
            ADDRESS
        ) == set() and not personal_field_encryption.has_keys(restored_database.pseudonym)
        row = session().scalars(select(Erasure)).one()
        assert (row.state, row.requested_by, row.id) == ("done", None, waiting[0].erasure_id)
    assert [e.facts["again"] for e in done(acting)] == [True]
    assert sequence_and_recheck().ok


def test_replayed_twice_it_is_done_once(restored_database, acting):
    erasure_replay.replay()
    assert erasure_replay.replay() == []
    assert len(done(acting)) == 1


def test_what_was_done_or_is_in_hand_does_not_wait(as_officer, as_admin, departing_member, acting):
    assert erasure_replay.pending() == []
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    with acting("admin"):
        erasure = session().scalars(select(Erasure)).one()
        erasure_list.add(
            erasure_list.ListedErasure(
                erasure.id,
                erasure.tenant_id,
                erasure.subject,
                erasure_list.digest(departing_member.person_id),
                clock.now(),
            )
        )
    assert erasure_replay.pending() == []
    jobs.drain(actor_of)
    assert erasure_replay.pending() == [] and erasure_replay.replay() == []


def test_a_backup_in_which_it_was_only_asked_is_caught_up(
    as_officer, as_admin, departing_member, acting, isolated
):
    path = request_erasure(as_officer, departing_member)
    before = isolated.begin_nested()
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    jobs.drain(actor_of)
    before.rollback()
    assert len(erasure_replay.replay()) == 1
    with acting("admin"):
        row = session().scalars(select(Erasure)).one()
        assert row.state == "done" and row.requested_by is not None and rows_with(NAME) == set()


def test_a_hold_in_the_backup_is_older_than_the_erasure(restored_database, as_officer, acting):
    as_officer.post(
        "privacy/holds/new",
        member=str(restored_database.id),
        reason="Released before the erasure, which the backup does not know.",
    )
    assert len(erasure_replay.replay()) == 1
    with acting("admin"):
        assert directory.any_membership(restored_database.id).person.name == "Erased person"


def test_a_backup_older_than_the_member_has_only_the_entry(database, acting):
    with acting("admin") as who:
        erasure_list.add(
            erasure_list.ListedErasure(uuid4(), who.tenant_id, "f" * 32, "0" * 64, clock.now())
        )
    erasure_list.add(
        erasure_list.ListedErasure(uuid4(), UUID(int=7), "f" * 32, "0" * 64, clock.now())
    )
    assert len(erasure_replay.pending()) == 1, "a tenant that is not here has nothing to erase"
    erasure_replay.replay()
    assert erasure_replay.pending() == []
    assert [e.facts["removed"] for e in done(acting)] == [{"keys": 0}]


def test_each_tenant_erases_its_own(restored_database, acting, as_neighbour):
    erasure_replay.replay()
    with acting("compliance_officer", "globex"):
        assert session().scalar(select(func.count()).select_from(Erasure)) == 0
    assert "No erasures yet" in as_neighbour.get("privacy/").text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"erasure": "x"}', b"\xff" * 10])
def test_a_damaged_list_stops_the_start_and_names_the_file(database, content):
    storage.store().keep("erasures/damaged.json", content)
    with pytest.raises(Unavailable, match=r"erasures/damaged\.json can't be read"):
        erasure_replay.pending()


def test_listed_twice_is_listed_once(database):
    one = erasure_list.ListedErasure(uuid4(), uuid4(), "f" * 32, "0" * 64, clock.now())
    erasure_list.add(one)
    erasure_list.add(one)
    assert erasure_list.everything() == [one]


def test_a_request_that_the_backup_brought_back_ends_with_the_replay(
    as_officer, as_admin, departing_member, acting, isolated
):
    """Keep the erasure done, and request no second approval of it."""
    path = request_erasure(as_officer, departing_member)
    before = isolated.begin_nested()
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    jobs.drain(actor_of)
    before.rollback()
    erasure_replay.replay()
    assert path not in approvals_in_inbox(as_admin)
    as_admin.get(path)
    decide_approval(as_admin, path, verb="approve", typed=NAME, then=409)
    with acting("admin"):
        assert session().scalars(select(Erasure)).one().state == "done"
