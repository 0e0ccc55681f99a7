"""Attacks on a running console, and its answers."""

import io
import zlib
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from uuid import UUID

import pikepdf
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.assurance.assessments import assessment_actions, assessment_queries
from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.evidence import actions as evidence
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import current
from governance.kernel.data import db
from governance.kernel.pages import work_pages
from governance.kernel.safety import outbound_http
from governance.kernel.safety.signed_note import verifier_key
from governance.kernel.web import responses
from governance.kernel.work import background_work, jobs
from governance.publishing.reports import queries as reports
from governance.publishing.reports.signatures import sandboxed_verify
from governance.publishing.reports.signatures.verify import verify
from tests import make

KEY = verifier_key(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), "console.example")

# ---- bodies


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain"])
def test_a_form_of_a_million_fields_is_refused_before_it_is_read(client, kind):
    reply = client.client.post(
        "/csp-report" if kind != FORM else "/login",
        data=b"a=b&" * (responses.MAX_FORM_BYTES // 2),
        content_type=kind,
    )
    assert reply.status_code == 413


def test_an_unknown_session_cookie_does_not_open_the_large_upload(as_officer, client, acting):
    with acting("compliance_officer"):
        piece = evidence.create_item("Attacked", kind="record", cadence="quarterly").id
    path = f"/t/acme/evidence/{piece}/versions/new"
    big = {"file": (io.BytesIO(bytes(responses.MAX_BODY_BYTES + 1)), "big.txt")}
    client.client.set_cookie("session", "acme.made-up")
    assert client.client.post(path, data=big, content_type="multipart/form-data").status_code == 413
    own = {
        "file": (io.BytesIO(b"\1" * (responses.MAX_BODY_BYTES + 1)), "big.txt"),
        "csrf_token": as_officer.csrf(),
    }
    assert (
        as_officer.client.post(path, data=own, content_type="multipart/form-data").status_code
        == 422
    )


# ---- forged requests


def test_a_bearer_header_does_not_excuse_a_browser_from_the_token(as_admin):
    sent = {"lane": "standard", "key": "triage", "name": "Claims triage", "purpose": "Sort claims."}
    reply = as_admin.client.post(
        as_admin.at("systems/new"), data=sent, headers={"Authorization": "Bearer x"}
    )
    assert reply.status_code == 403


# ---- a provider that never answers


def test_one_tenants_dead_provider_does_not_keep_the_others_out(monkeypatch):
    monkeypatch.setattr(outbound_http, "PATIENCE", 0.01)
    with ExitStack() as stack:
        for _ in range(outbound_http.WAITING_FOR_ONE):
            stack.enter_context(outbound_http.place("dead.example"))
        with pytest.raises(requests.Timeout), outbound_http.place("dead.example"):
            pass
        with outbound_http.place("alive.example"):
            pass
    assert not outbound_http._waiting


def test_one_tenant_with_two_dead_hosts_does_not_keep_the_others_out(app, monkeypatch):
    monkeypatch.setattr(outbound_http, "PATIENCE", 0.01)
    acme, globex = make.system_actor("acme"), make.system_actor("globex")
    with ExitStack() as stack:
        stack.enter_context(current.acting_as(acme))
        for number in range(outbound_http.WAITING_FOR_ONE):
            stack.enter_context(outbound_http.place(f"{'ab'[number % 2]}.example"))
        with pytest.raises(requests.Timeout), outbound_http.place("b.example"):
            pass
        with current.acting_as(globex), outbound_http.place("b.example"):
            pass
    assert not outbound_http._waiting


def test_many_dead_providers_still_leave_threads(monkeypatch):
    monkeypatch.setattr(outbound_http, "PATIENCE", 0.01)
    with ExitStack() as stack:
        for n in range(outbound_http.WAITING):
            stack.enter_context(outbound_http.place(f"dead{n}.example"))
        with pytest.raises(requests.Timeout), outbound_http.place("another.example"):
            pass
    assert not outbound_http._waiting


# ---- metrics


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("192.0.2.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}),
        ("", {}),
    ],
)
def test_metrics_are_not_published_through_a_proxy_or_to_strangers(client, peer, headers):
    reply = client.client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert reply.status_code == 404 and "governance_requests_total" not in reply.text


def test_with_a_token_metrics_answer_to_it_and_to_nobody_else(app, client, monkeypatch):
    monkeypatch.setitem(
        app.config, "SETTINGS", replace(app.config["SETTINGS"], metrics_token="s3cret")
    )  # noqa: S106 - a test's
    away = {"REMOTE_ADDR": "192.0.2.7"}
    for given in (None, "Bearer", "Bearer wrong", "Bearer \u00e9", "s3cret"):
        headers = {"Authorization": given} if given else {}
        assert client.client.get("/metrics", headers=headers).status_code == 404
    reply = client.client.get(
        "/metrics", headers={"Authorization": "Bearer s3cret"}, environ_overrides=away
    )
    assert reply.status_code == 200 and "governance_requests_total" in reply.text


# ---- addresses from another site


@pytest.mark.parametrize(
    "added",
    [
        "_scheme=javascript&_external=1",
        "tenant=globex",
        "key=zz",
        "_method=PUT",
        "_anchor=x",
        "endpoint=x",
        "values=x",
    ],
)
def test_the_way_back_to_now_stays_on_this_page(as_officer, assessment, added):
    reply = as_officer.get(f"frameworks/nist-ai-rmf-1.0?as_of=2026-01-05&{added}")
    assert f'href="/t/acme/frameworks/nist-ai-rmf-1.0?{added.replace("&", "&amp;")}"' in reply.text
    assert 'href="javascript:' not in reply.text and 'href="/t/globex' not in reply.text


@pytest.mark.parametrize(
    "day", ["0001-01-01", "1999-12-31", "9999-12-31", "0000-00-00", "2026-W01-1x"]
)
def test_a_day_that_no_console_knows_is_refused_with_a_sentence(as_officer, assessment, day):
    as_officer.get(f"frameworks/nist-ai-rmf-1.0?as_of={day}", then=422)
    as_officer.get(f"?as_of={day}", then=200 if day.startswith("9") else 422)


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_a_day_at_the_end_of_the_calendar_would_break_pages_for_good_and_is_refused(
    as_officer, assessment, acting, day
):
    with acting("compliance_officer"):
        control = controls.create(
            "ATK-01",
            ControlContent(
                title="A",
                does="Does.",
                kind="preventive",
                automation="manual",
                cadence="quarterly",
            ),
        ).id
        framework = str(frameworks.framework("nist-ai-rmf-1.0").id)
        item = assessment_queries.items(assessment)[0].row.id
    same = {"kind": "record", "cadence": "quarterly", "confidentiality": "internal", "owner_id": ""}
    assert "2000" in as_officer.post("evidence/new", then=422, title="Odd", due_on=day, **same).text
    tried = {"tested_on": "2026-11-01", "sample": "5", "failed": "1", "finding": "x"}
    as_officer.post(f"controls/{control}/tests/new", then=422, **tried, retest_by=day)
    as_officer.post(f"controls/{control}/tests/new", then=422, **tried | {"tested_on": day})
    period = {"framework": framework, "title": "Odd", "scope": "organisation", "targets": "3"}
    as_officer.post(
        "assessments/new", then=422, **period, period_from=day, period_to=day[:4] + "-12-31"
    )
    as_officer.post(
        "frameworks/nist-ai-rmf-1.0/assign", then=422, ids=str(item), owner_id="", due_on=day
    )


# ---- numbers and ids


@pytest.mark.parametrize("nonsense", ["\u00b2", "\u0663", "9" * 5000, "-1", "1e3", ""])
def test_a_hidden_version_that_is_no_number_is_a_stale_form(as_officer, acting, nonsense):
    with acting("compliance_officer"):
        piece = evidence.create_item("Attacked", kind="record", cadence="quarterly").id
        control = controls.create(
            "ATK-01",
            ControlContent(
                title="A",
                does="Does.",
                kind="preventive",
                automation="manual",
                cadence="quarterly",
            ),
        ).id
    same = {"kind": "record", "cadence": "quarterly", "confidentiality": "internal"}
    as_officer.post(f"evidence/{piece}/edit", then=409, title="Other", version=nonsense, **same)
    told = {"does": "Does.", "kind": "preventive", "automation": "manual", "cadence": "quarterly"}
    as_officer.post(f"controls/{control}/edit", then=409, title="Other", version=nonsense, **told)


@pytest.mark.parametrize(
    "path", ["controls/assign", "evidence/assign", "frameworks/nist-ai-rmf-1.0/assign"]
)
def test_eighty_thousand_ids_are_one_id_that_is_not_here(as_officer, path):
    body = f"csrf_token={as_officer.csrf()}&due_on=2026-12-24&owner_id=&" + "ids=a&" * 80_000
    assert (
        as_officer.client.post(as_officer.at(path), data=body, content_type=FORM).status_code == 404
    )


# ---- reports: concurrent requests, progress, verification of foreign files


@pytest.fixture
def assessment(acting):
    with acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        framework = frameworks.framework("nist-ai-rmf-1.0")
        return assessment_actions.start_assessment(
            framework.id,
            title="Q4 2026",
            period_from=date(2026, 1, 1),
            period_to=date(2026, 12, 31),
        ).id


def test_who_asks_for_a_report_waits_for_whoever_asks_at_the_same_moment(
    as_officer, assessment, statements
):
    with statements() as seen:
        as_officer.post("reports/", assessment_id=str(assessment))
    lock = next(n for n, each in enumerate(seen) if "pg_advisory_xact_lock" in each)
    assert lock < next(n for n, each in enumerate(seen) if "FROM report_runs" in each)


def test_a_report_is_begun_again_once_when_two_click_at_the_same_moment(
    as_officer, assessment, acting
):
    page = as_officer.post("reports/", assessment_id=str(assessment)).location
    as_officer.post(f"{page}/cancel")
    run_id = UUID(page.rpartition("/")[2])
    with acting("compliance_officer"):
        run = reports.run(run_id)  # The work that both clicks have read.
        background_work.retry(run)
        first = run.row.work_item_id
        background_work.retry(run)
        assert run.row.work_item_id == first


@pytest.mark.slow
def test_forty_open_streams_leave_threads_for_everybody_else(as_officer, acting, monkeypatch):
    with acting("compliance_officer"):
        item = jobs.enqueue("attack").id
    held = [work_pages._watchers.acquire(blocking=False) for _ in range(work_pages.WATCHERS)]
    try:
        assert all(held)
        reply = as_officer.get(f"work/{item}/events")
        assert (
            reply.text.startswith(f"retry: {work_pages.COME_BACK}\ndata: ")
            and '"queued"' in reply.text
        )
    finally:
        for _ in held:
            work_pages._watchers.release()
    monkeypatch.setattr(work_pages, "WATCH_SECONDS", 0.3)
    for _ in range(work_pages.WATCHERS + 1):
        assert "retry" not in as_officer.get(f"work/{item}/events").text
        as_officer.client.head(
            as_officer.at(f"work/{item}/events")
        )  # A stream that never starts takes no slot.
    assert '"queued"' in as_officer.get(f"work/{item}/events").text


def pdf_bomb(megabytes: int) -> bytes:
    """Return a PDF whose attachment is `megabytes` MB of zeros, compressed a thousand to one."""
    packer = zlib.compressobj(9)
    packed = (
        b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(megabytes)) + packer.flush()
    )
    document = pikepdf.Pdf.new()
    document.add_blank_page()
    document.attachments["snapshot.json"] = pikepdf.AttachedFileSpec(
        document, b"x", filename="snapshot.json"
    )
    document.attachments["snapshot.json"].obj.EF.F.write(packed, filter=pikepdf.Name.FlateDecode)
    out = io.BytesIO()
    document.save(out, compress_streams=False)
    return out.getvalue()


@pytest.mark.slow
def test_a_small_pdf_that_unpacks_to_a_gigabyte_is_checked_within_limits():
    data = pdf_bomb(1024)
    assert len(data) < 2 * 1024 * 1024
    found = sandboxed_verify.verify(data, "x", KEY, seconds=10)
    assert not found.ok and found.sentence.startswith("Do not rely on this report")


@pytest.mark.slow
def test_what_breaks_the_limits_is_a_failed_check_and_not_a_failed_console(client):
    found = sandboxed_verify.verify(b"%PDF-1.7", "x", KEY, seconds=0)
    assert found.checks == (sandboxed_verify.TOO_MUCH,) and not found.ok
    sent = {
        "report": (io.BytesIO(pdf_bomb(900)), "r.pdf"),
        "signature": (io.BytesIO(b"x"), "r.sig"),
        "key": KEY,
    }
    assert "Do not rely on this report" in client.post("/verify", then=200, **sent).text


def test_the_child_says_what_the_rules_say():
    data = pdf_bomb(1)
    assert sandboxed_verify.verify(data, "x", KEY) == verify(data, "x", KEY)


def test_files_to_be_checked_wait_for_their_turn(monkeypatch):
    monkeypatch.setattr(sandboxed_verify, "MAX_WAIT", 0.01)
    held = [
        sandboxed_verify._turns.acquire(blocking=False)
        for _ in range(sandboxed_verify.MAX_CHILDREN)
    ]
    try:
        with pytest.raises(sandboxed_verify.Unavailable, match="in a moment"):
            sandboxed_verify.verify(b"", "", "")
    finally:
        for _ in held:
            sandboxed_verify._turns.release()


# ---- logs


def test_a_database_error_does_not_log_what_was_sent(settings):
    bound = db.engine()
    try:
        db.connect(settings.database_url)
        assert db.engine().hide_parameters
        db.engine().dispose()
    finally:
        db.connect(bound)
