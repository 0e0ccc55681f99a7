"""Background work: watched by who may see it, cancelled, retried, stored completely or not."""

import io

import pytest
from sqlalchemy import select, update

from governance.app import schedule
from governance.foundation.audit.models import AuditEntry
from governance.foundation.logbook import actions, queries
from governance.foundation.logbook.filters import parse
from governance.foundation.logbook.models import LogExport
from governance.foundation.people import member_actions
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.queries import membership_of
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.work import background_work, jobs
from governance.kernel.work.background_work import Run, WorkKind, keep, kinds, run_of
from governance.kernel.work.jobs import Cancelled, WorkItem
from tests import make

assert schedule.HANDLERS  # Loading the schedule declares the kinds of every feature.


@pytest.fixture
def requested(acting):
    """Request an export of the log as the compliance officer. Return its id and its work's."""
    with acting("compliance_officer"):
        export = actions.request_export("csv", parse({}))
        return export.id, export.work_item_id


def files(settings):
    return {path for path in (settings.var / "objects").rglob("*") if path.is_file()}


def item_of(work_item_id):
    return session().scalars(select(WorkItem).where(WorkItem.id == work_item_id)).one()


def set_state(work_item_id, **values):
    session().execute(update(WorkItem).where(WorkItem.id == work_item_id).values(**values))
    session().expire_all()


def cancellations(acting):
    with acting("admin"):
        return len(
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "audit.export.cancelled"))
            .all()
        )


# ---- declaring


def test_every_kind_has_a_handler_and_one_of_each_name_and_model():
    assert (
        {"report", "log export", "evidence package", "collect"}
        <= kinds.keys()
        <= jobs.handlers.keys()
    )
    assert len({kind.model for kind in kinds.values()}) == len(kinds)
    with pytest.raises(ValueError, match="two kinds"):
        WorkKind(
            **{name: getattr(actions.EXPORTS, name) for name in WorkKind.__slots__}
            | {"name": "another"}
        )


# ---- watching


def test_work_is_watched_by_who_may_see_its_result(
    requested, as_officer, as_admin, as_viewer, as_neighbour
):
    item = f"work/{requested[1]}"
    assert as_officer.get(item).json["state"] == as_admin.get(item).json["state"] == "queued"
    for stranger in (as_viewer, as_neighbour):
        stranger.get(item, then=404)
        stranger.get(f"{item}/events", then=404)


@pytest.mark.parametrize("kind", ["mail", "destroy evidence", "no such kind"])
def test_work_of_a_kind_that_nobody_declared_is_watched_by_its_requester_alone(
    acting, as_officer, as_admin, as_viewer, kind
):
    with acting("compliance_officer"):
        item = f"work/{jobs.enqueue(kind).id}"
    assert as_officer.get(item).json["state"] == "queued"
    for other in (as_admin, as_viewer):
        other.get(item, then=404)
        other.get(f"{item}/events", then=404)


def test_an_erasure_is_watched_by_who_may_erase_and_a_test_of_anchors_by_who_sees_them(
    acting, as_officer, as_admin, as_viewer
):
    with acting("admin"):
        erasing, asking = (f"work/{jobs.enqueue(kind).id}" for kind in ("erase", "anchors"))
    as_officer.get(erasing)
    as_officer.get(asking)
    as_viewer.get(erasing, then=404)


def test_the_requester_watches_it_also_without_the_permission(requested, acting, as_officer):
    with acting("admin"):
        member_actions.change_role(membership_of(make.person_id("compliance_officer")), "viewer")
    as_officer.get(f"work/{requested[1]}")
    as_officer.get(f"audit/exports/{requested[0]}", then=403)


# ---- cancelling and retrying


def test_cancelling_twice_is_one_cancellation(requested, acting, as_officer):
    with acting("admin"):
        set_state(requested[1], state="running")
    for _ in range(2):
        as_officer.post(f"audit/exports/{requested[0]}/cancel")
    assert cancellations(acting) == 1
    with acting("admin"):
        assert item_of(requested[1]).cancel_requested
    page = as_officer.get(f"audit/exports/{requested[0]}").text
    assert "Cancelling…" in page and "data-cancel" not in page and "In progress" not in page


def test_what_has_ended_is_not_cancelled_and_what_goes_on_is_not_retried(
    requested, acting, as_officer
):
    page = f"audit/exports/{requested[0]}"
    assert (
        "is already available or still being generated."
        in as_officer.post(f"{page}/again", then=409).text
    )
    with acting("admin"):
        set_state(requested[1], state="failed", error="The disk is full.")
    assert "no longer in progress" in as_officer.post(f"{page}/cancel", then=409).text
    assert cancellations(acting) == 0


def test_a_failure_says_why_and_offers_to_retry(requested, acting, as_officer, as_auditor):
    with acting("admin"):
        member_actions.remove_member(membership_of(make.person_id("compliance_officer")))
    jobs.drain(actor_of)
    page = f"audit/exports/{requested[0]}"
    shown = as_auditor.get(page).text
    assert "is no longer a member. Nothing was generated." in shown and ">Retry</button>" in shown
    as_auditor.post(f"{page}/again")
    with acting("admin"):
        export = queries.export(requested[0]).row
        assert (
            export.work_item_id != requested[1] and item_of(export.work_item_id).state == "queued"
        )


def test_of_two_retries_the_second_changes_nothing(requested, acting):
    with acting("compliance_officer"):
        set_state(requested[1], state="failed")
        seen = queries.export(requested[0])
        background_work.retry(Run(seen.row, seen.work))
        first = seen.row.work_item_id
        background_work.retry(Run(seen.row, seen.work))
        assert seen.row.work_item_id == first != requested[1]


# ---- storing


def stored(requested, acting, file, content=b"the export "):
    """Call `keep` for the requested export as its handler does. Return its progress in percent."""
    with acting("compliance_officer"):
        item = item_of(requested[1])
        keep(actions.EXPORTS, item, io.BytesIO(content + requested[0].bytes), file)
        session().expire_all()
        return item_of(requested[1]).percent


def test_a_file_that_is_named_stays_and_the_work_is_at_its_end(requested, acting, settings):
    def file(blob):
        return actions.file_export(queries.export(requested[0], lock=True).row, blob, 1)

    with acting("admin"):
        set_state(requested[1], done=1, total=9)
    before = files(settings)
    assert stored(requested, acting, file) == 100
    assert len(files(settings) - before) == 1
    stored(
        requested, acting, file, b"of a worker that was thought dead"
    )  # It is rejected, and its file is removed.
    stored(requested, acting, file)  # The same bytes again are the same file, which stays.
    assert len(files(settings) - before) == 1
    with acting("admin"):
        assert b"".join(storage.pieces(queries.export(requested[0]).row.storage_key)).startswith(
            b"the export "
        )


def test_cancelled_at_the_last_moment_it_leaves_nothing(requested, acting, settings):
    with acting("admin"):
        set_state(requested[1], state="running", cancel_requested=True)
    before = files(settings)
    with pytest.raises(Cancelled):
        stored(requested, acting, lambda _blob: pytest.fail("nothing is filed"))
    assert files(settings) == before


def test_a_file_that_cannot_be_named_is_removed(requested, acting, settings):
    def fails(_blob):
        raise LookupError

    before = files(settings)
    with pytest.raises(LookupError):
        stored(requested, acting, fails)
    assert files(settings) == before


def test_a_run_says_how_it_is(requested, acting):
    with acting("admin"):
        export = queries.export(requested[0]).row
        assert (run_of(export).state, run_of(export).is_over) == ("queued", False)
        for state in ("failed", "cancelled"):
            set_state(requested[1], state=state)
            assert (run_of(export).state, run_of(export).is_over) == (state, True)
        set_state(requested[1], state="done")
        assert run_of(export).state == "failed"  # It has left no result.
        session().execute(update(LogExport).values(work_item_id=None))
        session().expire_all()
        assert (run_of(export).state, run_of(export).is_over) == ("failed", True)


def test_people_have_only_so_many_of_a_kind_in_progress(as_officer, monkeypatch):
    """Count all kinds: reports, packages and exports are started here."""
    monkeypatch.setattr(background_work, "MAX_UNDER_WAY", 2)
    for number in range(2):
        as_officer.post(f"audit/exports?q=word{number}", format="jsonl")
    refused = as_officer.post("audit/exports?q=third", then=409, format="jsonl")
    assert "2 exports are in progress" in refused.text
