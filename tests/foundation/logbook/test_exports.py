"""Exports of the log: requested, generated once, downloaded, verified offline.

They never contain another tenant's entries.
"""

import csv
import io
import json
from zoneinfo import ZoneInfo

import jsonschema_rs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text

from governance.app import schedule
from governance.assurance.controls.models import Control
from governance.demo.tampered_export import tamper
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry, LogHead
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.audit.verify import verify
from governance.foundation.logbook import actions, export_writer
from governance.foundation.logbook.export_writer import ExportPlan, ExportProgress, stream
from governance.foundation.logbook.filters import Filters
from governance.foundation.logbook.models import LogExport
from governance.foundation.logbook.ocsf import event
from governance.foundation.people import member_actions
from governance.foundation.people.jobs import actor_of
from governance.foundation.people.models import Membership
from governance.foundation.people.queries import membership_of
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.safety import signed_note
from governance.kernel.web import responses
from governance.kernel.work import background_work, jobs
from tests import faults, make
from tests.conftest import visitor
from tests.foundation.audit.one_file_verifier import status_of
from tests.foundation.logbook.export_helpers import (
    CHANGED,
    generate_export,
    request_export,
    verifier_keys,
    write_numbered_entries,
)

assert schedule.HANDLERS  # Loading the schedule registers the kind of work.


KEY = signed_note.verifier_key(
    Ed25519PrivateKey.from_private_bytes(bytes(32)), "console.example/audit/acme"
)


@pytest.fixture
def log(acting, database):
    """Write some entries with places to Acme's log, and to globex's."""
    write_numbered_entries(acting, 12)
    write_numbered_entries(acting, 5, "globex", "secret of globex")


def all_entries(acting):
    with acting("admin"):
        found = session().scalars(select(AuditEntry).order_by(AuditEntry.at, AuditEntry.id)).all()
        session().expunge_all()
        return found


def newest_export(acting):
    with acting("admin"):
        found = (
            session()
            .scalars(select(LogExport).order_by(LogExport.created_at.desc()).limit(1))
            .one()
        )
        session().expunge(found)
        return found


# ---- from request to verification


def test_the_auditor_asks_watches_takes_and_verifies_without_us(as_auditor, log, acting):
    page = request_export(as_auditor)
    assert "Export in progress" in as_auditor.get(page).text
    assert jobs.drain(actor_of) == 1
    shown = as_auditor.get(page).text
    assert (
        "Verify it without trusting Meridian" in shown
        and "governance verify-log audit-export-" in shown
    )
    taken = as_auditor.post(f"{page}/file", then=200)
    assert (
        taken.headers["Content-Disposition"].startswith('attachment; filename="audit-export-')
        and taken.mimetype == "application/jsonl"
    )
    key = verifier_keys(acting)
    assert key.splitlines()[0].replace("+", "&#43;") in shown or key.splitlines()[0] in shown
    verdict = verify(io.BytesIO(taken.data), key)
    assert verdict.is_complete and verdict.entries >= 12, verdict
    assert newest_export(acting).sha256 in shown or newest_export(acting).sha256[:8] in shown
    dropped = as_auditor.post(
        "/verify-log", then=200, export=(io.BytesIO(taken.data), "e.jsonl"), key=key
    )
    assert "The export is genuine and complete" in dropped.text


def test_asking_making_and_each_taking_is_an_entry(as_officer, log, acting):
    page = request_export(as_officer, "csv", "?action=tenant")
    jobs.drain(actor_of)
    for _ in range(2):
        as_officer.post(f"{page}/file", then=200)
    found = [entry for entry in all_entries(acting) if entry.action.startswith("audit.export.")]
    assert [entry.action.rpartition(".")[2] for entry in found] == [
        "requested",
        "generated",
        "downloaded",
        "downloaded",
    ]
    assert found[0].facts == {"format": "csv", "filters": {"action": "tenant"}}
    assert found[1].facts["sha256"] == found[2].facts["sha256"] == newest_export(acting).sha256


def test_words_that_were_searched_for_may_name_people_so_the_log_seals_them(
    as_officer, log, acting
):
    request_export(as_officer, query="?q=Rossi&outcome=done")
    asked = next(entry for entry in all_entries(acting) if entry.action == "audit.export.requested")
    assert (
        asked.facts["filters"] == {"outcome": "done"}
        and set(asked.sealed) == {"words"}
        and b"Rossi" not in asked.body
    )


def test_only_entries_under_the_checkpoint_of_the_start_are_exported(as_officer, log, acting):
    content = generate_export(as_officer)
    last = json.loads(content.splitlines()[-1])
    with acting("admin"):
        mark = audit.checkpoint(newest_export(acting).checkpoint)
        assert last["entries"] == mark.size and newest_export(acting).entries == mark.size
        assert (
            session().scalar(select(LogHead.size)) == mark.size
        )  # The entry of the request is pending.
    assert b"audit.export.requested" not in content


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("?action=tenant.settings", lambda e: e["action"] == "tenant.settings.changed"),
        ("?action=-tenant", lambda e: not e["action"].startswith("tenant.")),
        ("?q=a-7", lambda e: "A-7" in json.dumps(e["changes"])),
        ("?target=Tenant", lambda e: e["target"][0] == "Tenant"),
    ],
)
def test_a_filtered_export_holds_what_the_filter_lets_through_and_proves_each(
    as_officer, log, acting, query, holds
):
    content = generate_export(as_officer, query=query)
    verdict = verify(io.BytesIO(content), verifier_keys(acting))
    assert verdict.ok and not verdict.is_complete
    exported = [
        json.loads(json.loads(line)["entry"]) for line in content.splitlines() if b'"entry"' in line
    ]
    with acting("admin"):
        everything = [json.loads(audit.entry_at(index).body) for index in range(verdict.head.size)]
    assert [entry["id"] for entry in exported] == [
        entry["id"] for entry in everything if holds(entry)
    ] and exported


def test_days_are_exported_by_place_so_a_gap_is_proven(as_officer, log, acting):
    """Export everything between the first and the last entry of some days."""
    with acting("admin") as who:
        zone = ZoneInfo(session().get_one(Tenant, who.tenant_id).time_zone)
    today = clock.now().astimezone(zone).date().isoformat()  # Days are in the tenant's time zone.
    key = verifier_keys(acting)
    for query, filters in (
        (f"?since={today}", {"since": today}),
        (f"?since=2026-01-01&until={today}", {"since": "2026-01-01", "until": today}),
    ):
        content = generate_export(as_officer, query=query)
        verdict = verify(io.BytesIO(content), key)
        assert verdict.is_gapless and verdict.header.filters == filters, verdict
        lines = content.splitlines(keepends=True)
        assert not verify([*lines[:4], *lines[5:]], key).ok
        assert not verify([lines[0].replace(today.encode(), b"2026-02-03"), *lines[1:]], key).ok
        assert status_of(lines, key) == 0 and status_of([*lines[:4], *lines[5:]], key) == 1


def test_a_selection_is_signed_so_it_can_be_neither_thinned_nor_relabelled(as_officer, log, acting):
    content = generate_export(as_officer, query="?action=tenant.settings")
    lines, key = content.splitlines(keepends=True), verifier_keys(acting)
    last = json.loads(lines[-1])
    fewer = last | {"entries": last["entries"] - 1}
    shorter = json.dumps(fewer, separators=(",", ":"), ensure_ascii=False)
    thinned = [*lines[:3], *lines[4:-1], shorter.encode() + b"\n"]
    relabelled = [lines[0].replace(b"tenant.settings", b"tenant"), *lines[1:]]
    assert verify(lines, key).ok and status_of(lines, key) == 0
    for bent in (thinned, relabelled):
        verdict = verify(bent, key)
        assert [check.name for check in verdict.checks if check.ok is False] == ["signature"]
        assert status_of(bent, key) == 1


def test_what_is_asked_for_stands_in_chips(as_officer, log):
    page = as_officer.get("audit/exports?action=tenant&outcome=done&q=seven").text
    assert page.count("c-chip") >= 3 and "Export these entries" in page
    assert "Export the whole log" in as_officer.get("audit/exports").text
    as_officer.get("audit/exports?since=yesterday", then=422)
    as_officer.post("audit/exports?since=yesterday", then=422, format="jsonl")


def test_the_list_is_a_few_statements_however_long_it_is(as_officer, log, acting, statements):
    with acting("compliance_officer"):
        for number in range(60):
            session().add(
                LogExport(
                    format="csv",
                    query={"q": str(number)},
                    requested_by=make.person_id("compliance_officer"),
                    work_item_id=None,
                    checkpoint=None,
                    entries=None,
                    storage_key=None,
                    sha256=None,
                    size=None,
                    finished_at=None,
                )
            )
    with statements() as seen:
        page = as_officer.get("audit/exports").text
    assert page.count("data-row") == 50 and "Older" in page
    assert len([each for each in seen if "log_exports" in each or "people" in each]) <= 3


# ---- permissions


def test_asking_takes_a_sign_in_of_the_last_minutes(app, log):
    from datetime import timedelta

    tired = visitor(app, "compliance_officer")
    tired.client.set_cookie(
        "session", make.cookie("compliance_officer", signed_in_ago=timedelta(hours=1))
    )
    reply = tired.post("audit/exports", then=401, format="jsonl")
    assert "sign in" in reply.text.lower()
    assert jobs.drain(actor_of) == 0


@pytest.mark.parametrize("who", ["as_viewer", "as_contributor"])
def test_others_neither_ask_nor_look_nor_take(who, as_officer, log, request):
    page = request_export(as_officer)
    jobs.drain(actor_of)
    other = request.getfixturevalue(who)
    for path in ("audit/exports", page):
        other.get(path, then=403)
    for path in ("audit/exports", f"{page}/file", f"{page}/cancel", f"{page}/again"):
        other.post(path, then=403, format="jsonl")


def test_another_tenant_finds_no_export_and_gets_only_its_own_entries(
    as_officer, as_neighbour, log, acting
):
    page = request_export(as_officer)
    jobs.drain(actor_of)
    mine = page.removeprefix("/t/acme/")
    as_neighbour.get(mine, then=404)
    for verb in ("file", "cancel", "again"):
        as_neighbour.post(f"{mine}/{verb}", then=404)
    theirs = generate_export(as_neighbour)
    assert (
        b"secret of globex" in theirs
        and verify(io.BytesIO(theirs), verifier_keys(acting, "globex")).is_complete
    )
    ours = as_officer.post(f"{page}/file", then=200).data
    assert (
        b"secret of globex" not in ours
        and not verify(io.BytesIO(ours), verifier_keys(acting, "globex")).ok
    )


def test_nothing_is_made_for_somebody_who_may_no_longer_export(as_reviewer, log, acting):
    page = request_export(as_reviewer)
    with acting("admin"):
        member_actions.change_role(membership_of(make.person_id("reviewer")), "viewer")
    jobs.drain(actor_of)
    with acting("admin"):
        work = (
            session()
            .scalars(
                select(jobs.WorkItem).where(jobs.WorkItem.id == newest_export(acting).work_item_id)
            )
            .one()
        )
        assert work.state == "failed" and "can't export the audit log" in work.error
    assert newest_export(acting).storage_key is None and page


def test_nothing_is_made_for_somebody_who_has_left(as_auditor, log, acting):
    request_export(as_auditor)
    with acting("admin"):
        member_actions.remove_member(membership_of(make.person_id("auditor")))
        assert (
            session()
            .scalars(select(Membership).where(Membership.person_id == make.person_id("auditor")))
            .one()
            .ended_at
        )
    jobs.drain(actor_of)
    with acting("admin"):
        work = (
            session()
            .scalars(
                select(jobs.WorkItem).where(jobs.WorkItem.id == newest_export(acting).work_item_id)
            )
            .one()
        )
        assert (work.state, newest_export(acting).storage_key) == (
            "failed",
            None,
        ) and "no longer a member" in work.error


# ---- faults


def test_a_double_click_makes_one_export_and_other_filters_another(as_officer, as_auditor, log):
    first = request_export(as_officer, query="?action=tenant")
    assert (
        request_export(as_officer, query="?action=tenant")
        == request_export(as_auditor, query="?action=tenant")
        == first
    )
    assert (
        request_export(as_officer, "csv", "?action=tenant") != first != request_export(as_officer)
    )
    jobs.drain(actor_of)
    assert (
        request_export(as_officer, query="?action=tenant") != first
    )  # That one is made; the log has grown since.


def test_no_more_than_a_few_are_under_way(as_officer, log):
    for number in range(actions.MAX_RUNNING_EXPORTS):
        request_export(as_officer, query=f"?q=word{number}")
    assert "are in progress" in as_officer.post("audit/exports", then=409, format="jsonl").text


def test_cancelled_before_it_began_it_is_not_made_and_can_be_asked_again(as_officer, log, acting):
    page = request_export(as_officer)
    as_officer.post(f"{page}/again", then=409)
    as_officer.post(f"{page}/cancel")
    jobs.drain(actor_of)
    assert (
        newest_export(acting).storage_key is None
        and "Export cancelled" in as_officer.get(page).text
    )
    as_officer.post(f"{page}/file", then=409)
    as_officer.post(f"{page}/cancel", then=409)
    as_officer.post(f"{page}/again")
    jobs.drain(actor_of)
    assert verify(
        io.BytesIO(as_officer.post(f"{page}/file", then=200).data), verifier_keys(acting)
    ).is_complete
    as_officer.post(f"{page}/again", then=409)


WINDOW_READ = r"FROM audit_leaves JOIN audit_entries"


def files(settings):
    return {path for path in (settings.var / "objects").rglob("*") if path.is_file()}


def test_cancelled_in_the_middle_it_leaves_nothing(
    as_officer, log, acting, monkeypatch, settings, isolated
):
    """Press Cancel while the first window is written."""
    page = request_export(as_officer)
    monkeypatch.setattr(export_writer, "WINDOW", 4)
    before = files(settings)
    monkeypatch.setattr(
        background_work, "PAUSE_SECONDS", -1
    )  # Each window checks for a cancellation.
    with faults.after_transaction_of(
        isolated, WINDOW_READ, lambda: as_officer.post(f"{page}/cancel")
    ) as windows:
        jobs.drain(actor_of)
    assert len(windows) == 1
    assert newest_export(acting).storage_key is None and files(settings) == before
    assert "Export cancelled" in as_officer.get(page).text


@pytest.mark.parametrize("when", [2, 4])
def test_killed_while_writing_it_is_made_again_once_over_the_same_checkpoint(
    as_officer, log, acting, monkeypatch, settings, when, isolated
):
    page = request_export(as_officer)
    monkeypatch.setattr(export_writer, "WINDOW", 4)
    before = files(settings)
    with (
        faults.killed_in_transaction_of(isolated, WINDOW_READ, at=when),
        pytest.raises(faults.Killed),
    ):
        jobs.run_next(actor_of)
    number = newest_export(acting).checkpoint
    assert number and newest_export(acting).storage_key is None and files(settings) == before
    write_numbered_entries(acting, 7)  # The log continues meanwhile.
    with acting("admin"):
        session().execute(text("UPDATE work_tickets SET ready_at = now() - interval '1 second'"))
    assert jobs.drain(actor_of) == 1
    assert newest_export(acting).checkpoint == number and len(files(settings) - before) == 1
    content = as_officer.post(f"{page}/file", then=200).data
    assert verify(io.BytesIO(content), verifier_keys(acting)).is_complete
    assert [entry.action for entry in all_entries(acting)].count("audit.export.generated") == 1


def test_a_worker_that_was_thought_dead_files_nothing_over_the_other(as_officer, log, acting):
    """Keep the first of two results, with one entry in the log."""
    request_export(as_officer)
    jobs.drain(actor_of)
    held = newest_export(acting)
    with acting("admin"):
        found = session().scalars(select(LogExport).where(LogExport.id == held.id)).one()
        actions.file_export(found, storage.Blob("0" * 64, 1, "elsewhere", b""), 1)
        assert found.storage_key == held.storage_key
    assert [entry.action for entry in all_entries(acting)].count("audit.export.generated") == 1


def test_a_filter_that_lets_nothing_through_is_refused_in_a_sentence(as_officer, log, acting):
    page = request_export(as_officer, "ocsf", "?since=2031-01-01")
    jobs.drain(actor_of)
    assert (
        "No entries match these filters" in as_officer.get(page).text
        and newest_export(acting).storage_key is None
    )


def test_a_log_without_a_checkpoint_is_tried_again_later(as_officer, acting, database):
    page = request_export(as_officer)
    with acting("admin"):
        unsigned = audit.last_checkpoint() is None
    jobs.drain(actor_of)
    state = as_officer.get(page).text
    assert ("has no signed checkpoint yet" in state) is unsigned


def test_a_reader_who_goes_away_in_the_middle_leaves_nothing_open(as_officer, log, monkeypatch):
    page = request_export(as_officer)
    jobs.drain(actor_of)
    monkeypatch.setattr(storage, "PIECE_BYTES", 512)
    reply = as_officer.client.post(
        f"{page}/file", data={"csrf_token": as_officer.csrf()}, buffered=False
    )
    assert next(iter(reply.response))
    reply.close()
    assert as_officer.post(f"{page}/file", then=200).data


@pytest.mark.parametrize("format_", ["", "pdf", "JSONL", "../../x"])
def test_a_format_that_there_is_not_is_refused(as_officer, log, format_):
    assert "Choose a format" in as_officer.post("audit/exports", then=422, format=format_).text


# ---- windows


@pytest.mark.parametrize("window", [1, 3, 5, 100])
def test_windows_of_any_width_make_the_same_bytes(log, acting, monkeypatch, window):
    def content():
        with acting("admin"):
            mark = audit.last_checkpoint()
            plan = ExportPlan("jsonl", Filters(), "UTC", mark.origin, mark.size, mark.note)
            return stream(plan, ExportProgress(), lambda _at: None).read()

    whole = content()
    monkeypatch.setattr(export_writer, "WINDOW", window)
    assert content() == whole and verify(io.BytesIO(whole), verifier_keys(acting)).is_complete


@pytest.mark.slow
def test_a_log_of_some_thousands_is_exported_while_it_grows(as_officer, acting, database):
    write_numbered_entries(acting, 5_000)
    content = generate_export(as_officer)
    verdict = verify(io.BytesIO(content), verifier_keys(acting))
    assert verdict.is_complete and verdict.entries >= 5_000


# ---- OCSF


@pytest.fixture(scope="session")
def schemas(shared_data):
    """Return the real schemas, by class. A reference that leads to none is an error."""
    found = {}
    for path in (shared_data / "ocsf").glob("ocsf-1.8.0-*.schema.json"):
        if "profile" not in path.name:
            found[int(path.name.split("-")[2])] = jsonschema_rs.validator_for(
                json.loads(path.read_text())
            )
    return found


def test_every_event_of_an_export_is_valid_ocsf(as_officer, log, acting, schemas):
    events = [json.loads(line) for line in generate_export(as_officer, "ocsf").splitlines()]
    assert len(events) >= 12 and {each["class_uid"] for each in events} >= {3002, 3004, 6003}
    wrong = [
        (each["message"], problem.message)
        for each in events
        for problem in schemas[each["class_uid"]].iter_errors(each)
    ]
    assert wrong == []


def example(action, **more):
    return {
        "id": "0199a3f2-0000-7000-8000-000000000001",
        "tenant": "0199a3f2-0000-7000-8000-000000000002",
        "at": "2026-11-25T10:00:00.123456+00:00",
        "actor": "7" * 32,
        "actor_kind": "person",
        "action": action,
        "target": ["Control", "0199a3f2-0000-7000-8000-000000000003"],
        "outcome": "done",
        "request_id": "r1",
        "origin": "192.0.2.0/24",
        "changes": {},
        "facts": {"title": "x"},
        "sealed": {"reason": {"cipher": "AAAA"}},
    } | more


def test_every_registered_action_is_valid_ocsf(app, schemas):
    for name in registry:
        for more in (
            {},
            {"outcome": "denied"},
            {"outcome": "odd"},
            {"actor": "0" * 32, "actor_kind": "job", "origin": "", "request_id": ""},
        ):
            made_ = event(7, example(name, **more), registry[name])
            assert [e.message for e in schemas[made_["class_uid"]].iter_errors(made_)] == [], name


@pytest.mark.parametrize(
    ("action", "type_uid"),
    [
        ("session.started", 300201),
        ("session.ended", 300202),
        ("session.denied", 300201),
        ("membership.started", 300401),
        ("membership.role.changed", 300403),
        ("membership.ended", 300404),
        ("tenant.settings.changed", 300403),
        ("control.created", 600301),
        ("evidence.version.downloaded", 600302),
        ("control.changed", 600303),
        ("control.retired", 600304),
        ("assessment.conclusion.signed_off", 600303),
        ("policy.published", 600303),
        ("switch.platform.stopped", 600301),
        ("control.tested", 600303),
        ("audit.fsck.failed", 600302),
        ("person.erased", 300404),
        ("surely.unheard", 600399),
    ],
)
def test_an_action_has_its_class_and_activity(action, type_uid):
    assert event(0, example(action), registry.get(action))["type_uid"] == type_uid


def test_an_event_says_when_who_and_how_it_ended_and_nothing_sealed():
    made_ = event(7, example("session.denied", outcome="denied"), registry["session.denied"])
    assert (
        made_["time"] == 1_795_600_800_123
        and made_["status_id"] == 2
        and made_["user"] == {"uid": "7" * 32}
    )
    assert made_["metadata"]["sequence"] == 7 and made_["metadata"]["uid"].endswith("0001")
    assert made_["unmapped"]["sealed"] == ["reason"] and "cipher" not in json.dumps(made_)
    assert event(0, example("surely.unheard"), None)["activity_name"] == "surely.unheard"


# ---- CSV


def test_a_table_has_a_row_for_each_entry_and_runs_nothing(as_officer, acting, log):
    with acting("admin") as who:
        record(
            CHANGED,
            session().get(Tenant, who.tenant_id),
            before={"name": "A"},
            after={"name": "=HYPERLINK(1)"},
            outcome="=1+1",
        )
    write_numbered_entries(acting, 1)
    content = generate_export(as_officer, "csv")
    assert content.startswith(b"\xef\xbb\xbfplace,") and content.count(b"\xef\xbb\xbf") == 1
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [int(row["place"]) for row in rows] == list(range(len(rows))) and len(
        rows
    ) == newest_export(acting).entries
    assert "'=1+1" in {row["outcome"] for row in rows}
    assert not [
        cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))
    ]


# ---- the public page


def test_the_page_needs_no_account_and_says_the_same(client, as_officer, log, acting):
    content = generate_export(as_officer)
    page = client.get("/verify-log").text
    assert (
        "Verify an audit log" in page
        and 'href="/verify"' in page
        and 'href="/verify-log"' in client.get("/verify").text
    )
    key = verifier_keys(acting)
    good = client.post("/verify-log", then=200, export=(io.BytesIO(content), "e.jsonl"), key=key)
    assert "The export is genuine and complete" in good.text
    bent = content.replace(b"A-7", b"A-8", 1)
    assert bent != content
    bad = client.post("/verify-log", then=200, export=(io.BytesIO(bent), "e.jsonl"), key=key)
    assert (
        "Do not rely on this export." in bad.text
        and "The first wrong entry is" in bad.text
        and "(tenant.settings.changed, " in bad.text
    )


def test_the_page_takes_an_older_checkpoint(client, as_officer, log, acting):
    with acting("admin"):
        held = audit.last_checkpoint().note
    write_numbered_entries(acting, 3)
    content = generate_export(as_officer)
    good = client.post(
        "/verify-log",
        then=200,
        export=(io.BytesIO(content), "e.jsonl"),
        key=verifier_keys(acting),
        checkpoint=held.replace("\n", "\r\n"),
    )
    assert "This log begins with the " in good.text
    bad = client.post(
        "/verify-log",
        then=200,
        export=(io.BytesIO(content), "e.jsonl"),
        key=verifier_keys(acting),
        checkpoint="nonsense",
    )
    assert "Your older checkpoint can&#39;t be used." in bad.text


def test_the_page_names_what_is_missing_and_meets_garbage(client, database):
    assert (
        "Choose the export and enter the verifier key." in client.post("/verify-log", then=422).text
    )
    assert (
        "Enter the verifier key."
        in client.post("/verify-log", then=422, export=(io.BytesIO(b"x"), "e"), key="").text
    )
    for garbage in (b"", b"\0" * 4096, b"\xff\xfe", b"[" * 300_000, b"<script>alert(1)</script>\n"):
        reply = client.post(
            "/verify-log", then=200, export=(io.BytesIO(garbage), "e.jsonl"), key="<script>+x+y"
        )
        assert "Nothing was checked." in reply.text and "<script>+x" not in reply.text
        bad = client.post("/verify-log", then=200, export=(io.BytesIO(garbage), "e.jsonl"), key=KEY)
        assert "Do not rely on this export." in bad.text and "<script>alert" not in bad.text


def test_the_page_takes_more_than_other_pages_and_not_without_end(client, database):
    large = b"x" * (responses.MAX_BODY_BYTES + 1024)
    assert (
        client.post(
            "/verify-log", then=200, export=(io.BytesIO(large), "e.jsonl"), key="a+b+c"
        ).status_code
        == 200
    )
    from governance.foundation.logbook import export_verification

    limit = export_verification.MAX_FILE_BYTES + export_verification.MAX_FIELDS_BYTES
    claimed = {"CONTENT_LENGTH": str(limit + 1)}
    reply = client.client.post(
        "/verify-log", content_type="multipart/form-data; boundary=x", environ_overrides=claimed
    )
    assert reply.status_code == 413


def test_a_few_files_are_checked_at_once_and_others_wait_for_their_turn(
    client, database, monkeypatch
):
    from governance.foundation.logbook import export_verification

    monkeypatch.setattr(export_verification, "WAIT_SECONDS", 0.01)
    for _ in range(export_verification.MAX_CONCURRENT):
        assert export_verification._slots.acquire(blocking=False)
    try:
        assert (
            "Other files are being verified"
            in client.post(
                "/verify-log", then=503, export=(io.BytesIO(b"x"), "e"), key="a+b+c"
            ).text
        )
    finally:
        for _ in range(export_verification.MAX_CONCURRENT):
            export_verification._slots.release()
    client.post("/verify-log", then=200, export=(io.BytesIO(b"x"), "e"), key="a+b+c")


# ---- the demo's tampered copy


def record_control_tests(acting, *failed):
    """Add entries of tests of a control, with these numbers of failures."""
    with acting("admin") as who:
        target = Control(id=who.tenant_id)
        for count in failed:
            record(registry["control.tested"], target, sample=25, failed=count)
    write_numbered_entries(acting, 2)


@pytest.mark.parametrize(
    ("failed", "field", "said"), [((3, 0), "failed", 3), ((), "outcome", "done")]
)
def test_a_tampered_copy_differs_in_one_fact_and_the_verifier_names_its_entry(
    as_officer, log, acting, tmp_path, failed, field, said
):
    record_control_tests(acting, *failed)
    (tmp_path / "export.jsonl").write_bytes(generate_export(as_officer))
    done = tamper(tmp_path / "export.jsonl", tmp_path / "tampered.jsonl")
    assert (done.field, done.said) == (field, said) and done.instead != said
    before, after = (
        (tmp_path / name).read_bytes().splitlines() for name in ("export.jsonl", "tampered.jsonl")
    )
    assert len([1 for one, other in zip(before, after, strict=True) if one != other]) == 1
    with (tmp_path / "tampered.jsonl").open("rb") as file:
        verdict = verify(file, verifier_keys(acting))
    assert (verdict.first_wrong.index, verdict.first_wrong.action) == (done.index, done.action)
    failed = [check.name for check in verdict.checks if check.ok is False]
    assert failed == ["entries", "signature"]


def test_an_export_without_entries_cannot_be_tampered_with(tmp_path):
    (tmp_path / "empty.jsonl").write_bytes(b"")
    with pytest.raises(ValueError, match="contains no entry"):
        tamper(tmp_path / "empty.jsonl", tmp_path / "copy.jsonl")
