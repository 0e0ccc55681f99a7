"""A report from request to download: queued, watched, cancelled, signed, and reproducible."""

import hashlib
import io
import json
import signal
import zipfile
from datetime import date
from uuid import UUID

import pikepdf
import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from governance.app import schedule
from governance.app.cli import main
from governance.assurance.assessments import assessment_actions
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit import checkpoint, logs, sequencer
from governance.foundation.audit import queries as log
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import installation
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.pictures import pdf
from governance.kernel.work import background_work, jobs
from governance.publishing.reports import actions, queries
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.signatures import signed_files
from governance.publishing.reports.signatures.verify import verify
from tests.name_helpers import show_names

assert schedule.HANDLERS  # Loading the schedule registers the kind of work.


@pytest.fixture
def assessment(acting):
    with acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt(["SEC-04", "SEC-09", "GOV-01"], with_evidence=True)
        framework = frameworks.framework("nist-ai-rmf-1.0")
        return assessment_actions.start_assessment(
            framework.id,
            title="Q4 2026",
            period_from=date(2026, 1, 1),
            period_to=date(2026, 12, 31),
        ).id


def request_report(visitor, assessment):
    return visitor.post("reports/", assessment_id=str(assessment)).location


def newest_run():
    return (
        session()
        .scalars(
            select(ReportRun)
            .where(ReportRun.without_names_of.is_(None))
            .order_by(ReportRun.created_at.desc(), ReportRun.id.desc())
            .limit(1)
        )
        .one()
    )


@pytest.mark.slow
def test_the_officer_asks_watches_takes_and_anyone_verifies(
    as_officer, assessment, acting, tmp_path
):
    show_names(True)  # There is one file then; files without names: tests/test_auditor_files.py.
    with acting("compliance_officer"):
        sequencer.sequence()
    page = request_report(as_officer, assessment)
    assert "In progress" in as_officer.get(page).text
    jobs.drain(actor_of)
    assert "Verify it yourself" in as_officer.get(page).text
    content = as_officer.post(f"{page}/pdf", then=200).data
    note = as_officer.post(f"{page}/signature", then=200).text
    key = as_officer.get("/keys").text.splitlines()[0]
    assert verify(content, note, key).ok
    with pikepdf.open(io.BytesIO(content)) as document:
        assert {"snapshot.json", "manifest.json"} <= set(document.attachments)
        carried = json.loads(document.attachments["manifest.json"].get_file().read_bytes())["log"]
    with acting("compliance_officer"):
        stated = checkpoint.open_checkpoint(carried["note"], logs.verifier(logs.signing_key()))
        assert (stated.size, stated.root) == (
            log.last_checkpoint().size,
            log.last_checkpoint().root,
        )
        taken = session().scalars(select(AuditEntry.action).order_by(AuditEntry.at)).all()
    assert taken.count("report.downloaded") == 2 and "report.generated" in taken
    (tmp_path / "r.pdf").write_bytes(content)
    (tmp_path / "r.pdf.sig").write_text(note)
    good = CliRunner().invoke(main, ["verify-report", str(tmp_path / "r.pdf"), "--key", key])
    assert good.exit_code == 0, good.output
    (tmp_path / "r.pdf").write_bytes(content[:-7] + b"x" + content[-6:])
    bad = CliRunner().invoke(main, ["verify-report", str(tmp_path / "r.pdf"), "--key", key])
    assert bad.exit_code == 1 and "FAIL" in bad.output
    dropped = as_officer.post(
        "/verify",
        then=200,
        report=(io.BytesIO(content), "r.pdf"),
        signature=(io.BytesIO(note.encode()), "r.sig"),
        key=key,
    )
    assert "digest" in dropped.text
    both = as_officer.post(f"{page}/files", then=200)
    assert both.headers["Content-Disposition"].endswith('.pdf.zip"')
    both = as_officer.post("/verify", then=200, report=(io.BytesIO(both.data), "r.zip"), key=key)
    assert "is genuine and intact" in both.text


def test_both_files_at_once_are_for_who_generates_reports(as_viewer, as_auditor):
    """Offer both only to people who generate reports.

    Others download each alone: an auditor's copy has its own watermark and signature.
    """
    for visitor in (as_viewer, as_auditor):
        visitor.post(f"reports/{UUID(int=1)}/files", then=403)


@pytest.mark.parametrize(
    "names", [["r.pdf"], ["r.sig"], ["r.pdf", "other.pdf.sig"], ["r.pdf", "r.pdf.sig", "s.pdf"]]
)
def test_a_zip_that_is_no_report_with_its_signature_is_refused(client, names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    answer = client.post(
        "/verify", then=200, report=(io.BytesIO(packed.getvalue()), "r.zip"), key="a+b+c"
    )
    assert "contain one report with its signature" in answer.text


def test_a_damaged_zip_is_refused(client):
    packed = signed_files.pack("r.pdf", b"x" * 99, b"y")
    for broken in (packed[:60], packed[:-30], packed.replace(b"x" * 99, b"z" * 99)):
        answer = client.post("/verify", then=200, report=(io.BytesIO(broken), "r.zip"), key="a")
        assert "contain one report with its signature" in answer.text


@pytest.mark.slow
@pytest.mark.timeout(method="thread")  # The test needs SIGALRM.
def test_a_run_that_was_killed_while_rendering_is_made_again_from_the_same_snapshot(
    as_officer, assessment, acting
):
    """Kill the process after the snapshot is frozen; the next one makes the same bytes."""
    show_names(True)  # There is one file then.
    request_report(as_officer, assessment)

    class Killed(BaseException):
        """An error that stands for SIGKILL: no handler runs after it."""

    def dies(*_):
        raise Killed

    before = signal.signal(signal.SIGALRM, dies)
    signal.setitimer(signal.ITIMER_REAL, 1.2)  # The child needs longer to lay out the pages.
    try:
        with pytest.raises(Killed):
            jobs.run_next(actor_of)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with acting("compliance_officer"):
        frozen = newest_run().fingerprint
        assert frozen and newest_run().pdf_key is None
        session().execute(text("UPDATE work_tickets SET ready_at = now() - interval '1 second'"))
    assert jobs.drain(actor_of) == 1
    with acting("compliance_officer"):
        made = newest_run()
        assert made.fingerprint == frozen
        first, filed = b"".join(storage.pieces(made.pdf_key)), made.pdf_sha256
        from governance.publishing.reports.ai_rmf.document import build

        built = build(made.snapshot)
    again = pdf.render_in_child(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )
    assert hashlib.sha256(again).hexdigest() == hashlib.sha256(first).hexdigest() == filed


def test_a_double_click_watches_the_first(as_officer, assessment):
    assert request_report(as_officer, assessment) == request_report(as_officer, assessment)


def test_the_ai_rmf_report_is_of_the_ai_rmf_only(as_officer, assessment, acting):
    with acting("compliance_officer"):
        other = frameworks.framework("owasp-llm-2025")
        held = assessment_actions.start_assessment(
            other.id, title="LLM risks", period_from=date(2026, 1, 1), period_to=date(2026, 12, 31)
        ).id
    page = as_officer.get("reports/").text
    assert str(assessment) in page and str(held) not in page
    as_officer.post("reports/", assessment_id=str(held), then=422)


def test_the_key_bears_the_name_of_the_installation(acting):
    with installation.domain.answered_by("trust.company.example"), acting("compliance_officer"):
        assert actions.key_line(actions.create_signing_key()).startswith("trust.company.example+")


def test_queued_work_is_cancelled_at_once_and_can_be_asked_again(as_officer, assessment, acting):
    page = request_report(as_officer, assessment)
    as_officer.post(f"{page}/cancel")
    assert jobs.drain(actor_of) <= 1
    with acting("compliance_officer"):
        assert queries.run(newest_run().id).work.state == "cancelled"
        assert newest_run().pdf_key is None
    as_officer.post(f"{page}/pdf", then=409)
    as_officer.post(f"{page}/again")
    as_officer.post(f"{page}/again", then=409)


def test_progress_is_told_as_json_and_as_events(as_officer, assessment, acting):
    request_report(as_officer, assessment)
    with acting("compliance_officer"):
        item = newest_run().work_item_id
    assert as_officer.get(f"work/{item}").json["state"] == "queued"
    with acting("compliance_officer"):
        jobs.cancel(background_work.watched(item))
    events = as_officer.get(f"work/{item}/events")
    assert events.mimetype == "text/event-stream" and '"state": "cancelled"' in events.text


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
def test_readers_may_not_ask(who, assessment, request, database):
    visitor = request.getfixturevalue(who)
    visitor.post("reports/", assessment_id=str(assessment), then=403)
    assert "Generate report" not in visitor.get("reports/").text


def test_another_tenant_finds_neither_run_nor_work(as_officer, as_neighbour, assessment, acting):
    page = request_report(as_officer, assessment)
    with acting("compliance_officer"):
        run = newest_run()
        ids = (run.id, run.work_item_id)
    for path in (f"reports/{ids[0]}", f"work/{ids[1]}", f"work/{ids[1]}/events"):
        as_neighbour.get(path, then=404)
    for path in (f"reports/{ids[0]}/pdf", f"reports/{ids[0]}/cancel"):
        as_neighbour.post(path, then=404)
    as_neighbour.post("reports/", assessment_id=str(assessment), then=404)
    assert page


def test_nonsense_is_named(as_officer):
    assert "Choose an assessment" in as_officer.post("reports/", assessment_id="x", then=422).text
    assert "the report (PDF)" in as_officer.post("/verify", then=422).text


def test_garbage_is_not_a_report(client):
    answer = client.post(
        "/verify",
        then=200,
        report=(io.BytesIO(b"\x00" * 4096), "r.pdf"),
        signature=(io.BytesIO(b"no"), "r.sig"),
        key="console.example+x+y",
    )
    assert "FAIL" not in answer.text and "verifier key" in answer.text
